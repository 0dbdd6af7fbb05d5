import type * as z from "zod";
import type { ToolDescription } from "../api/tool.ts";
import type { Clock } from "../process/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import { CallLimit, type CallTimeouts, LimitError } from "./call-limit.ts";
import type { Connection, ConnectionOptions, ConnectionRequest } from "./client-connection.ts";
import { ToolPage, toolsOf } from "./tool-list.ts";
import type { ToolProgress } from "./tool-provider.ts";
import { CallResult } from "./tool-result.ts";
import { isSessionLost, SessionLostError, WireError } from "./wire-failure.ts";

/** 100 pages and 2000 tools per server: a server that pages for ever is cut off, and the log says so. */
const MAX_PAGES = 100;
const MAX_TOOLS = 2_000;
/** 1 s for a server to end a session; it ends it anyway when it is idle. */
const END_SESSION_MS = 1_000;

/** What an entry is told once. */
export interface EntryOptions {
  readonly connection: Pick<ConnectionOptions, "url" | "protocol" | "headers" | "tls" | "client">;
  /** Server as `namespace/name`, for the log. */
  readonly server: string;
  readonly terminateOnClose: boolean;
  readonly log: Logger;
  readonly clock: Clock;
  /** Longest wait for a new connection. */
  readonly connectMs: number;
  /** How long a list of tools is good for. */
  readonly toolsTtlMs: number;
  /** Aborts when the pool closes. */
  readonly lifetime: AbortSignal;
}

/** One request of an entry: whose headers, under which limits. */
export interface EntryRequest {
  /** Headers of this request alone. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeouts: CallTimeouts;
  readonly limit: CallLimit;
}

/** One call of a tool. */
export interface EntryCall extends EntryRequest {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  /** The caller knows that a second call does no harm. */
  readonly idempotent: boolean;
  readonly onProgress?: ((progress: ToolProgress) => void) | undefined;
}

/** A server as one set of headers sees it: at most one connection, and the tools it lists. */
export class PoolEntry {
  readonly #options: EntryOptions;
  #connection: Promise<Connection> | undefined;
  /** What {@link #connection} resolved to. */
  #current: Connection | undefined;
  #tools: { readonly until: number; readonly tools: readonly ToolDescription[] } | undefined;
  #listing: Promise<readonly ToolDescription[]> | undefined;
  /** Counts what makes lists of tools old. */
  #generation = 0;
  #users = 0;
  /** Monotonic milliseconds of the last use. */
  usedAt = 0;

  constructor(options: EntryOptions) {
    this.#options = options;
  }

  /** Requests under way. */
  get users(): number {
    return this.#users;
  }

  /** Runs `work` as one request under way. */
  async use<T>(work: () => Promise<T>): Promise<T> {
    this.#users += 1;
    try {
      return await work();
    } finally {
      this.#users -= 1;
      this.usedAt = this.#options.clock.monotonic();
    }
  }

  /** Tools of the server, all pages; from memory while they are fresh. Callers at once share one listing. */
  async tools(request: EntryRequest): Promise<readonly ToolDescription[]> {
    const { clock } = this.#options;
    if (this.#tools !== undefined && clock.monotonic() < this.#tools.until)
      return this.#tools.tools;
    this.#listing ??= this.use(() => this.#list(request)).finally(() => {
      this.#listing = undefined;
    });
    return await request.limit.race(this.#listing);
  }

  /** Calls a tool. A call that must not be made twice is not repeated after a lost session. */
  async call(call: EntryCall): Promise<CallResult> {
    const request: ConnectionRequest<typeof CallResult> = {
      request: { method: "tools/call", params: { name: call.name, arguments: { ...call.args } } },
      schema: CallResult,
      headers: call.headers,
      limit: call.limit,
      onProgress: call.onProgress,
    };
    const mayRepeat = async () => call.idempotent || (await this.#isHarmless(call));
    return await this.#send(request, mayRepeat);
  }

  /** Whether the server says that calling the tool twice does no harm; as far as is known now. */
  knownHarmless(name: string): boolean {
    const hints = this.#tools?.tools.find((tool) => tool.name === name)?.hints;
    return hints?.readOnlyHint === true || hints?.idempotentHint === true;
  }

  /** Ends the session and closes the sockets. */
  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#current = undefined;
    this.#forgetTools();
    const open = await connection?.catch(() => undefined);
    await (this.#options.terminateOnClose ? open?.close(END_SESSION_MS) : open?.drop());
  }

  async #isHarmless(call: EntryCall): Promise<boolean> {
    await this.tools(call);
    return this.knownHarmless(call.name);
  }

  /** Lists under limits of its own: callers that give up do not end it for the others. */
  async #list({ headers, timeouts }: EntryRequest): Promise<readonly ToolDescription[]> {
    const { clock, lifetime, toolsTtlMs } = this.#options;
    const generation = this.#generation;
    const limit = new CallLimit(clock, timeouts, lifetime, lifetime);
    try {
      const tools = await this.#pages({ headers, limit });
      if (generation === this.#generation) {
        this.#tools = { until: clock.monotonic() + toolsTtlMs, tools };
      }
      return tools;
    } finally {
      limit.release();
    }
  }

  async #pages(request: Pick<EntryRequest, "headers" | "limit">): Promise<ToolDescription[]> {
    const { log, server } = this.#options;
    const tools: ToolDescription[] = [];
    const cursors = new Set<string>();
    for (let cursor: string | undefined; ; ) {
      const params = cursor === undefined ? {} : { params: { cursor } };
      const page = await this.#send(
        { ...request, request: { method: "tools/list", ...params }, schema: ToolPage },
        () => Promise.resolve(true),
      );
      const { tools: found, invalid } = toolsOf(page.tools);
      if (invalid > 0) log.warn("tools left out, not described as MCP asks", { server, invalid });
      tools.push(...found);
      cursor = page.nextCursor;
      if (cursor === undefined) return tools;
      if (cursors.has(cursor) || cursors.size + 1 >= MAX_PAGES || tools.length >= MAX_TOOLS) {
        log.warn("list of tools cut", { server, pages: cursors.size + 1, tools: tools.length });
        return tools.slice(0, MAX_TOOLS);
      }
      cursors.add(cursor);
    }
  }

  /** Sends a request; when the session turns out lost, once more over a new one if that does no harm. */
  async #send<S extends z.ZodType>(
    request: ConnectionRequest<S>,
    mayRepeat: () => Promise<boolean>,
  ): Promise<z.output<S>> {
    for (let attempts = 0; ; ) {
      const connection = await this.#connect(request.limit);
      if (connection.isRetired) continue; // between there and here: there is a new one
      attempts += 1;
      try {
        return await connection.request(request);
      } catch (error) {
        const loss = lossOf(error, connection);
        if (loss === "none") throw error;
        this.#retire(connection);
        if (attempts === 1 && (await mayRepeat())) continue;
        throw loss === "session" ? new SessionLostError("not repeated", { cause: error }) : error;
      }
    }
  }

  /** The connection; opened once for all who wait for it. */
  async #connect(limit: CallLimit): Promise<Connection> {
    if (this.#connection === undefined) {
      const opening = this.#open();
      this.#connection = opening;
      opening.catch(() => {
        if (this.#connection === opening) this.#connection = undefined;
      });
    }
    return await limit.race(this.#connection);
  }

  async #open(): Promise<Connection> {
    const { clock, connectMs, lifetime, connection } = this.#options;
    const timeouts = { idleMs: connectMs, totalMs: connectMs };
    const limit = new CallLimit(clock, timeouts, lifetime, lifetime);
    try {
      const wire = await import("./client-connection.ts");
      const opened = await wire.Connection.open(
        {
          ...connection,
          clock,
          onToolsChanged: () => {
            this.#forgetTools();
          },
          onBroken: (broken) => {
            this.#retire(broken);
          },
        },
        limit,
      );
      this.#current = opened;
      return opened;
    } catch (error) {
      if (!(error instanceof LimitError) || error.kind === "closed") throw error;
      throw new LimitError("connect", connectMs);
    } finally {
      limit.release();
    }
  }

  /** Takes `connection` out of use, if it still is; the tools may be others after a restart. */
  #retire(connection: Connection): void {
    if (this.#current !== connection) return;
    this.#options.log.warn("session with a tool server lost", { server: this.#options.server });
    this.#current = undefined;
    this.#connection = undefined;
    this.#forgetTools();
    connection.retire();
  }

  #forgetTools(): void {
    this.#generation += 1;
    this.#tools = undefined;
  }
}

/** What is lost when a request fails: the session, the one answer, or nothing. */
function lossOf(error: unknown, connection: Connection): "session" | "answer" | "none" {
  if (isSessionLost(error, connection.hasSession ? "kept" : "none")) return "session";
  return error instanceof WireError && error.lost ? "answer" : "none";
}
