import { randomUUID } from "node:crypto";
import {
  AgentCard,
  Role,
  type SendMessageRequest,
  type StreamResponse,
  type Task,
} from "@a2a-js/sdk";
import {
  DefaultAgentCardResolver,
  JsonRpcTransportFactory,
  type RequestOptions,
  type Transport,
} from "@a2a-js/sdk/client";
import type { Part } from "../api/events.ts";
import type { Clock } from "../process/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import { AgentCallError, isRpcRefusal, shownUrl, statusError, toCallError } from "./call-error.ts";
import { type CallTimeouts, limitedFetch } from "./limited-fetch.ts";
import { RejoinPatience, type StreamEnd } from "./rejoin-patience.ts";
import { leave } from "./until-aborted.ts";
import { type AgentUpdate, UpdateReader } from "./update-reader.ts";
import { toWirePart } from "./wire-parts.ts";

/**
 * 10 s to the head of an answer, 60 s without a byte: our servers send a comment every 15 s. The whole
 * call is bounded by its signal. Raise with `timeouts` of the call.
 */
const CALL_TIMEOUTS: CallTimeouts = { connectMs: 10_000, idleMs: 60_000 };
/** 1 s for a stream to end after its result. */
const DRAIN_MS = 1_000;
/** 2 s to tell an agent that nobody waits for it any more. */
const CANCEL_MS = 2_000;

/** 2 s between two questions for a task whose agent has no streams to join. */
const POLL_MS = 2_000;
/** 10 questions in a row without an answer. */
const MAX_POLL_FAILURES = 10;

/** One call of an agent. */
export interface AgentCall {
  /** JSON-RPC endpoint. */
  readonly url: string;
  readonly parts: readonly Part[];
  /** Continues a session, or starts one of this id. */
  readonly contextId?: string;
  /** Answers a task that waits for input. */
  readonly taskId?: string;
  /** Metadata of the message. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Sent with every request of the call. */
  readonly headers?: Readonly<Record<string, string>>;
  /** 10 s to the head of an answer and 60 s without a byte unless set. */
  readonly timeouts?: CallTimeouts;
  /**
   * `read` takes the protocol's version from the agent's card, for agents of others; its address stays
   * `url`, a card sends nobody elsewhere. `none`, the default, speaks 1.0 at once and saves a round trip.
   */
  readonly card?: "none" | "read";
}

/** What calls need. */
export interface ClientDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** 0 <= n < 1, spreads tries; Node's own unless set. */
  readonly random?: () => number;
  /** Node's own unless set. */
  readonly fetch?: typeof fetch;
}

/** The SDK's constructor; the type of its options is a class that the SDK does not export. */
const TransportFactory: new (options: {
  readonly fetchImpl: typeof fetch;
  readonly legacyCompat: { enabled: boolean };
}) => Pick<JsonRpcTransportFactory, "create"> = JsonRpcTransportFactory;

/** The requests of one call. */
export class Exchange {
  /** The agent's address for messages. */
  readonly shownUrl: string;
  readonly #call: AgentCall;
  readonly #deps: ClientDeps;
  readonly #fetch: typeof fetch;
  readonly #reader: UpdateReader;
  readonly #closed = new AbortController();
  #transport: Transport | undefined;
  /** Why the last stream broke. */
  #broken: AgentCallError | undefined;

  /** @throws AgentCallError for an address that is none. */
  constructor(call: AgentCall, deps: ClientDeps) {
    this.shownUrl = shownUrl(call.url);
    this.#call = call;
    this.#deps = deps;
    this.#fetch = limitedFetch(call.timeouts ?? CALL_TIMEOUTS, deps.clock, deps.fetch);
    this.#reader = new UpdateReader(nameOf(call.url));
  }

  /** Ends the request under way. */
  close(): void {
    this.#closed.abort();
  }

  /** @throws AgentCallError */
  async *updates(): AsyncGenerator<AgentUpdate, void, undefined> {
    try {
      const transport = await this.#connect();
      const message = sendRequest(this.#call);
      yield* this.#tell(transport, transport.sendMessageStream(message, this.#options()));
    } catch (error) {
      throw toCallError(this.shownUrl, error);
    } finally {
      this.#reader.end();
    }
  }

  /** Follows the task from stream to stream, however often they break, to its result. */
  async *#tell(
    transport: Transport,
    sent: AsyncGenerator<StreamResponse, void, undefined>,
  ): AsyncGenerator<AgentUpdate, void, undefined> {
    const { clock, random = Math.random } = this.#deps;
    const patience = new RejoinPatience(clock, random);
    for (let stream = sent; ; ) {
      const began = clock.monotonic();
      const end = yield* this.#follow(stream);
      if (end.news === "result") return;
      // The agent answers, but not with a stream: the task is over, or it cannot be joined there.
      if (end.why !== undefined && isRpcRefusal(end.why)) break;
      const waitMs = patience.ended(end, clock.monotonic() - began);
      if (waitMs === undefined) {
        yield* this.#ask(transport, "once");
        return;
      }
      const id = this.#known();
      if (waitMs > 0) await clock.sleep(waitMs, this.#closed.signal);
      stream = transport.resubscribeTask({ tenant: "", id }, this.#options());
    }
    yield* this.#ask(transport, "until-result");
  }

  /**
   * Tells the agent that nobody waits any more, as soon as its task is known; gives up after 2 s.
   * Never rejects.
   */
  async abandon(): Promise<void> {
    const { clock, log } = this.#deps;
    const late = new AbortController();
    const disarm = clock.schedule(CANCEL_MS, () => {
      late.abort();
      this.close();
    });
    try {
      const id = await this.#reader.identified;
      this.close();
      if (id === undefined || this.#transport === undefined) return;
      const request = { tenant: "", id, metadata: undefined };
      await this.#transport.cancelTask(request, this.#options(late.signal));
    } catch (error) {
      const { message } = toCallError(this.shownUrl, error);
      log.warn("agent could not be told to stop", { url: this.shownUrl, error: message });
    } finally {
      disarm();
    }
  }

  /** Cancels the task that the call names. @throws AgentCallError */
  async cancel(taskId: string): Promise<void> {
    try {
      const transport = await this.#connect();
      await transport.cancelTask({ tenant: "", id: taskId, metadata: undefined }, this.#options());
    } catch (error) {
      throw toCallError(this.shownUrl, error);
    } finally {
      this.#reader.end();
    }
  }

  /** Tells what a stream tells. Once the task is known a stream that breaks just ends: the task goes on. */
  async *#follow(
    stream: AsyncGenerator<StreamResponse, void, undefined>,
  ): AsyncGenerator<AgentUpdate, StreamEnd, undefined> {
    let news: StreamEnd["news"] = "none";
    let joined = false;
    try {
      for (;;) {
        const step = await this.#next(stream);
        if ("why" in step) return { news, joined, ...step };
        joined = true;
        for (const update of this.#reader.read(step.item)) {
          news = update.kind === "result" ? "result" : "some";
          yield update;
          if (news === "result") return { news, joined, why: undefined };
        }
      }
    } finally {
      if (news === "result") this.#drain(stream);
      else leave(stream);
    }
  }

  /** The next item, or why there is none: the stream is over, or broke and may be joined again. */
  async #next(
    stream: AsyncGenerator<StreamResponse, void, undefined>,
  ): Promise<{ readonly item: StreamResponse } | Pick<StreamEnd, "why">> {
    try {
      const step = await stream.next();
      return step.done === true ? { why: undefined } : { item: step.value };
    } catch (error) {
      this.#broken = toCallError(this.shownUrl, error);
      if (!this.#mayRejoin(this.#broken)) throw this.#broken;
      return { why: this.#broken };
    }
  }

  #mayRejoin(error: AgentCallError): boolean {
    if (this.#reader.taskId === undefined || this.#closed.signal.aborted) return false;
    return error.code !== "protocol" || isRpcRefusal(error);
  }

  /** Lets a stream that has told everything end by itself, so that its connection can serve again. */
  #drain(stream: AsyncGenerator<unknown, void, undefined>): void {
    const disarm = this.#deps.clock.schedule(DRAIN_MS, () => {
      this.close();
    });
    const rest = async (): Promise<void> => {
      while ((await stream.next()).done !== true);
    };
    rest()
      .catch(() => undefined)
      .finally(disarm); // the result is known, whatever still comes
  }

  /** The task as it is, when its stream cannot be had: asked for once, or every 2 s until it has a result. */
  async *#ask(
    transport: Transport,
    how: "once" | "until-result",
  ): AsyncGenerator<AgentUpdate, void, undefined> {
    const id = this.#known();
    for (let failures = 0; ; ) {
      const task = await this.#taskNow(
        transport,
        id,
        how === "once" ? 1 : MAX_POLL_FAILURES - failures,
      );
      failures = task === undefined ? failures + 1 : 0;
      for (const update of task === undefined ? [] : this.#reader.readTask(task)) {
        yield update;
        if (update.kind === "result") return;
      }
      if (how === "once") break;
      await this.#deps.clock.sleep(POLL_MS, this.#closed.signal);
    }
    const message = `the stream of task ${id} at ${this.shownUrl} broke while the task was running`;
    throw new AgentCallError(this.#broken?.code ?? "unreachable", message, { cause: this.#broken });
  }

  /** The task; `undefined` when it cannot be had and `triesLeft` is more than this one. @throws AgentCallError */
  async #taskNow(transport: Transport, id: string, triesLeft: number): Promise<Task | undefined> {
    try {
      return await transport.getTask({ tenant: "", id }, this.#options());
    } catch (error) {
      const failure = toCallError(this.shownUrl, error);
      if (triesLeft <= 1 || isRpcRefusal(failure) || this.#closed.signal.aborted) throw failure;
      return undefined;
    }
  }

  /** @throws AgentCallError `protocol` when the agent named no task. */
  #known(): string {
    const { taskId } = this.#reader;
    if (taskId !== undefined) return taskId;
    const message = `the agent at ${this.shownUrl} answered without naming a task`;
    throw new AgentCallError("protocol", message);
  }

  async #connect(): Promise<Transport> {
    const { url, card } = this.#call;
    const protocolVersion = card === "read" ? await this.#versionOnCard() : "1.0";
    const here = { url, protocolBinding: "JSONRPC", protocolVersion };
    const options = { fetchImpl: this.#fetch, legacyCompat: { enabled: true } };
    this.#transport = await new TransportFactory(options).create(
      url,
      AgentCard.fromJSON({ supportedInterfaces: [here] }),
    );
    return this.#transport;
  }

  async #versionOnCard(): Promise<string> {
    const { url, headers } = this.#call;
    const { signal } = this.#closed;
    const fetchImpl: typeof fetch = async (input, init) => {
      const all = { ...headers, ...(init?.headers as Record<string, string>) };
      const response = await this.#fetch(input, { ...init, headers: all, signal });
      if (!response.ok) throw statusError(this.shownUrl, response.status);
      return response;
    };
    const resolver = new DefaultAgentCardResolver({ legacyCompat: { enabled: true }, fetchImpl });
    const found = AgentCard.fromJSON(await resolver.resolve(url.endsWith("/") ? url : `${url}/`));
    const versions = found.supportedInterfaces
      .filter(({ protocolBinding }) => protocolBinding.toUpperCase() === "JSONRPC")
      .map((spoken) => spoken.protocolVersion);
    const version = ["1.0", "0.3"].find((known) => versions.some((v) => v.startsWith(known)));
    if (version !== undefined) return version;
    const message = `the agent at ${this.shownUrl} offers no JSON-RPC of A2A 1.0 or 0.3`;
    throw new AgentCallError("protocol", message);
  }

  #options(signal: AbortSignal = this.#closed.signal): RequestOptions {
    const version = { "A2A-Version": this.#transport?.protocolVersion ?? "1.0" };
    return { signal, serviceParameters: { ...this.#call.headers, ...version } };
  }
}

function sendRequest(call: AgentCall): SendMessageRequest {
  const { parts, contextId = "", taskId = "", metadata } = call;
  return {
    tenant: "",
    message: {
      messageId: randomUUID(),
      contextId,
      taskId,
      role: Role.ROLE_USER,
      parts: parts.map(toWirePart),
      metadata: metadata === undefined ? undefined : { ...metadata },
      extensions: [],
      referenceTaskIds: [],
    },
    configuration: {
      acceptedOutputModes: [],
      taskPushNotificationConfig: undefined,
      returnImmediately: false,
    },
    metadata: undefined,
  };
}

/** `namespace/name` when the address ends that way, as those of our agents do; else its host. */
function nameOf(url: string): string {
  const { pathname, host } = new URL(url);
  const [name, namespace] = pathname
    .split("/")
    .filter((segment) => segment !== "")
    .toReversed();
  if (name === undefined || namespace === undefined) return host;
  return `${decodeURIComponent(namespace)}/${decodeURIComponent(name)}`;
}
