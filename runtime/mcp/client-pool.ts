import type { ToolServerSettings } from "../api/agent-config.ts";
import { refKey } from "../api/names.ts";
import type { ToolDescription } from "../api/tool.ts";
import { type Clock, systemClock } from "../process/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import { CallLimit, type CallTimeouts, LimitError } from "./call-limit.ts";
import { type EntryRequest, PoolEntry } from "./pool-entry.ts";
import { splitHeaders } from "./request-headers.ts";
import type { ToolProgress, ToolResult } from "./tool-provider.ts";
import { failure, fromCallResult } from "./tool-result.ts";
import { ToolServerError } from "./tool-server-error.ts";
import { RemoteError, toolServerError } from "./wire-failure.ts";

/** What a pool is told once. */
export interface PoolOptions {
  readonly log: Logger;
  /** The machine's clock unless set. */
  readonly clock?: Clock;
  /** How the pool introduces itself to servers; `kagent` unless set. */
  readonly client?: { readonly name: string; readonly version: string };
  /** Longest wait for a new connection in milliseconds; 10 s unless set. */
  readonly connectMs?: number;
  /** How long a list of tools is good for in milliseconds, unless the server says earlier; 30 s unless set. */
  readonly toolsTtlMs?: number;
  /** How long an unused connection is kept in milliseconds; 5 min unless set. */
  readonly keepMs?: number;
  /** Most connections at once, 256 unless set: bounds sockets when users or headers are many. */
  readonly maxConnections?: number;
}

/** Who asks, and how long it may take. */
export interface RequestOptions {
  /** Beside the configured ones, which win. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Unset: silence up to `sseReadTimeoutMs`, all of it up to `timeoutMs` of the server's settings. */
  readonly timeouts?: Partial<CallTimeouts>;
}

/** How a tool is called. */
export interface CallOptions extends RequestOptions {
  /** Told of progress notifications; each of them ends the silence. */
  readonly onProgress?: (progress: ToolProgress) => void;
  /** A second call does no harm, whatever the server's hints say. */
  readonly idempotent?: boolean;
}

/**
 * Clients of MCP servers: one connection per server and set of headers, opened when needed, renewed when
 * the server lost its session, closed when unused.
 *
 * Safe for any number of calls at once. An aborted call rejects with the signal's reason at once and the
 * server is told (`notifications/cancelled`).
 */
export class McpClientPool {
  readonly #options: Required<PoolOptions>;
  readonly #lifetime = new AbortController();
  readonly #entries = new Map<string, PoolEntry>();
  #stopSweeping: (() => void) | undefined;

  constructor(options: PoolOptions) {
    this.#options = {
      clock: systemClock,
      client: { name: "kagent", version: "0" },
      connectMs: 10_000,
      toolsTtlMs: 30_000,
      keepMs: 300_000,
      maxConnections: 256,
      ...options,
    };
  }

  /** Connections that are open or about to be. */
  get size(): number {
    return this.#entries.size;
  }

  /**
   * Every tool of `server`, all pages (at most 100 pages and 2000 tools), from memory while fresh.
   *
   * @throws {ToolServerError} The server did not answer; the signal's reason on abort.
   */
  async listTools(
    server: ToolServerSettings,
    options: RequestOptions,
    signal: AbortSignal,
  ): Promise<readonly ToolDescription[]> {
    return await this.#request(server, options, signal, {
      repeatable: () => true,
      work: (entry, request) => entry.tools(request),
    });
  }

  /**
   * Calls a tool. What the server or the tool has to say against the call (unknown name, bad arguments, a
   * failure) is a result with `isError`.
   *
   * @throws {ToolServerError} The server did not answer; the signal's reason on abort.
   */
  async callTool(
    server: ToolServerSettings,
    name: string,
    args: Readonly<Record<string, unknown>>,
    options: CallOptions,
    signal: AbortSignal,
  ): Promise<ToolResult> {
    const { onProgress, idempotent = false } = options;
    try {
      const result = await this.#request(server, options, signal, {
        repeatable: (entry) => idempotent || entry.knownHarmless(name),
        work: (entry, request) => entry.call({ ...request, name, args, idempotent, onProgress }),
      });
      return fromCallResult(result);
    } catch (error) {
      const answer = error instanceof ToolServerError ? error.cause : undefined;
      if (answer instanceof RemoteError) return failure(answer.message);
      throw error;
    }
  }

  /** Ends all sessions (1 s for the servers to take note) and closes all sockets; calls under way fail. */
  async close(): Promise<void> {
    this.#lifetime.abort(new LimitError("closed"));
    this.#stopSweeping?.();
    const entries = [...this.#entries.values()];
    this.#entries.clear();
    await Promise.all(entries.map((entry) => entry.close()));
  }

  async #request<T>(
    server: ToolServerSettings,
    options: RequestOptions,
    signal: AbortSignal,
    ask: {
      readonly repeatable: (entry: PoolEntry) => boolean;
      readonly work: (entry: PoolEntry, request: EntryRequest) => Promise<T>;
    },
  ): Promise<T> {
    signal.throwIfAborted();
    const timeouts = {
      idleMs: options.timeouts?.idleMs ?? server.sseReadTimeoutMs,
      totalMs: options.timeouts?.totalMs ?? server.timeoutMs,
    };
    const headers = splitHeaders(server.headers, options.headers ?? {});
    const entry = this.#entry(server, headers.connection);
    const limit = new CallLimit(this.#options.clock, timeouts, signal, this.#lifetime.signal);
    try {
      const request = { headers: headers.request, timeouts, limit };
      return await entry.use(() => limit.race(ask.work(entry, request)));
    } catch (error) {
      if (signal.aborted && error === signal.reason) throw error;
      throw toolServerError(server.ref, error, ask.repeatable(entry));
    } finally {
      limit.release();
    }
  }

  #entry(server: ToolServerSettings, headers: Readonly<Record<string, string>>): PoolEntry {
    if (this.#lifetime.signal.aborted)
      throw toolServerError(server.ref, this.#lifetime.signal.reason, false);
    const { protocol, url, ref, terminateOnClose, tls } = server;
    const sorted = Object.entries(headers).sort(([a], [b]) => (a < b ? -1 : 1));
    const key = JSON.stringify([protocol, url, terminateOnClose, sorted, tls]);
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    if (!URL.canParse(url)) {
      const reason = "its address is not a URL";
      throw new ToolServerError(ref, { code: "protocol", reason, retryable: false });
    }
    this.#makeRoom(server);
    const { clock, log, client, connectMs, toolsTtlMs } = this.#options;
    const entry = new PoolEntry({
      connection: { url: new URL(url), protocol, headers, tls, client },
      server: refKey(ref),
      terminateOnClose,
      log,
      clock,
      connectMs,
      toolsTtlMs,
      lifetime: this.#lifetime.signal,
    });
    this.#entries.set(key, entry);
    this.#sweepLater();
    return entry;
  }

  /** Closes the connection that has been idle longest when there are too many. */
  #makeRoom({ ref }: ToolServerSettings): void {
    if (this.#entries.size < this.#options.maxConnections) return;
    const idle = [...this.#entries].filter(([, entry]) => entry.users === 0);
    const oldest = idle.sort(([, a], [, b]) => a.usedAt - b.usedAt)[0];
    if (oldest === undefined) {
      const reason = `all ${this.#entries.size} connections are in use`;
      throw new ToolServerError(ref, { code: "unreachable", reason, retryable: true });
    }
    this.#discard(...oldest);
  }

  #sweepLater(): void {
    const { clock, keepMs } = this.#options;
    this.#stopSweeping ??= clock.schedule(keepMs, () => {
      this.#stopSweeping = undefined;
      const limit = clock.monotonic() - keepMs;
      for (const [key, entry] of [...this.#entries]) {
        if (entry.users === 0 && entry.usedAt <= limit) this.#discard(key, entry);
      }
      if (this.#entries.size > 0) this.#sweepLater();
    });
  }

  #discard(key: string, entry: PoolEntry): void {
    this.#entries.delete(key);
    entry.close().catch((error: unknown) => {
      this.#options.log.warn("connection to a tool server did not close", { error: String(error) });
    });
  }
}
