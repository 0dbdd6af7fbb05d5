import { randomUUID } from "node:crypto";
import { AgentCard, Role, type SendMessageRequest, type StreamResponse } from "@a2a-js/sdk";
import {
  DefaultAgentCardResolver,
  JsonRpcTransportFactory,
  type RequestOptions,
  type Transport,
} from "@a2a-js/sdk/client";
import type { Part } from "../api/events.ts";
import type { Clock } from "../process/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import { AgentCallError, shownUrl, statusError, toCallError } from "./call-error.ts";
import { type CallTimeouts, limitedFetch } from "./limited-fetch.ts";
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
      let stream = transport.sendMessageStream(message, this.#options());
      for (let rejoined = false; ; rejoined = true) {
        const progress = yield* this.#follow(stream);
        if (progress === "result") return;
        if (rejoined && progress === "none") break;
        stream = transport.resubscribeTask({ tenant: "", id: this.#known() }, this.#options());
      }
      yield* this.#ask(transport);
    } catch (error) {
      throw toCallError(this.shownUrl, error);
    } finally {
      this.#reader.end();
    }
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

  /**
   * Tells what a stream tells. Once the task is known a stream that breaks just ends: the task goes on.
   *
   * @returns Whether it came to the result, or to anything new.
   */
  async *#follow(
    stream: AsyncGenerator<StreamResponse, void, undefined>,
  ): AsyncGenerator<AgentUpdate, "result" | "some" | "none", undefined> {
    let progress: "result" | "some" | "none" = "none";
    try {
      for (;;) {
        const step = await stream.next();
        if (step.done === true) return progress;
        for (const update of this.#reader.read(step.value)) {
          progress = update.kind === "result" ? "result" : "some";
          yield update;
          if (progress === "result") return progress;
        }
      }
    } catch (error) {
      this.#broken = toCallError(this.shownUrl, error);
      if (!this.#mayRejoin(this.#broken)) throw this.#broken;
      return progress;
    } finally {
      if (progress === "result") this.#drain(stream);
      else leave(stream);
    }
  }

  #mayRejoin({ code }: AgentCallError): boolean {
    return this.#reader.taskId !== undefined && code !== "protocol" && !this.#closed.signal.aborted;
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

  /** The task as it is, when its stream cannot be had. */
  async *#ask(transport: Transport): AsyncGenerator<AgentUpdate, void, undefined> {
    const id = this.#known();
    const task = await transport.getTask({ tenant: "", id }, this.#options());
    let ended = false;
    for (const update of this.#reader.readTask(task)) {
      yield update;
      ended ||= update.kind === "result";
    }
    if (ended) return;
    const message = `the stream of task ${id} at ${this.shownUrl} broke while the task was running`;
    throw new AgentCallError(this.#broken?.code ?? "unreachable", message, { cause: this.#broken });
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
