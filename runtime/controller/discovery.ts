import type { ToolServerSettings } from "../api/agent-config.ts";
import { type ObjectRef, refKey } from "../api/names.ts";
import type { ToolDescription } from "../api/tool.ts";
import { backOffMs } from "../kube/back-off.ts";
import { WorkQueue } from "../kube/work-queue.ts";
import type { Clock } from "../process/clock.ts";
import { orAbort } from "../process/or-abort.ts";
import type { Logger } from "../telemetry/log.ts";

/** Asks an MCP server what it offers. */
export interface ToolLister {
  /**
   * Every tool, all pages, within the server's own time limit.
   *
   * @throws Error whose message is fit for people, without credentials; the signal's reason after an abort.
   */
  listTools(server: ToolServerSettings, signal: AbortSignal): Promise<readonly ToolDescription[]>;
}

/** How the last question to a server ended. */
export type Discovery =
  | { readonly ok: true; readonly tools: readonly ToolDescription[] }
  | { readonly ok: false; readonly message: string };

/** What {@link ToolDiscovery} needs. */
export interface DiscoveryDeps {
  readonly tools: ToolLister;
  readonly clock: Pick<Clock, "monotonic" | "schedule">;
  readonly log: Logger;
  /** 0 <= random < 1; spreads servers over the interval. */
  readonly random: () => number;
  /** Time from one answer to the next question in milliseconds (TOOL_REFRESH_INTERVAL). */
  readonly intervalMs: number;
  /** Told when there is an answer, or none, to look at. */
  readonly onResult: (server: ObjectRef) => void;
}

/** 32 questions begin at once: bounds the sockets that are opened in one go. */
const WORKERS = 32;
/** First wait after a failure; doubled each time, up to the interval. */
const LEAST_RETRY_MS = 5_000;
/** 10 min for a question whose server allows itself longer than that. */
const MOST_MS = 600_000;

interface Watched {
  readonly ref: ObjectRef;
  /** Equal settings are one question. */
  readonly settingsKey: string;
  readonly settings: ToolServerSettings;
  readonly stop: AbortController;
  failures: number;
  result?: Discovery;
}

/**
 * Asks each watched MCP server for its tools, at once and then again and again.
 *
 * Servers are asked side by side: one that hangs delays no other, however many of them hang.
 */
export class ToolDiscovery {
  readonly #deps: DiscoveryDeps;
  readonly #watched = new Map<string, Watched>();
  readonly #queue: WorkQueue;

  constructor(deps: DiscoveryDeps) {
    this.#deps = deps;
    this.#queue = new WorkQueue(deps, {
      name: "discovery",
      workers: WORKERS,
      timeoutMs: MOST_MS,
      process: (key, signal) => this.#ask(key, signal),
    });
  }

  /** Asks until the signal aborts; to be called once. */
  async run(signal: AbortSignal): Promise<void> {
    await this.#queue.run(signal);
  }

  /**
   * Keeps asking a server; at once when its settings are other than before.
   *
   * @returns How the last question with these settings ended; `undefined` before the first answer.
   */
  watch(ref: ObjectRef, settings: ToolServerSettings): Discovery | undefined {
    const key = refKey(ref);
    const settingsKey = JSON.stringify(settings);
    const known = this.#watched.get(key);
    if (known?.settingsKey === settingsKey) return known.result;
    this.forget(ref);
    const stop = new AbortController();
    this.#watched.set(key, { ref, settingsKey, settings, stop, failures: 0 });
    this.#queue.add(key);
    return undefined;
  }

  /** Asks a server no more; a question under way is taken back. */
  forget(ref: ObjectRef): void {
    const watched = this.#watched.get(refKey(ref));
    if (watched === undefined) return;
    this.#watched.delete(refKey(ref));
    watched.stop.abort(new Error("the server is no longer watched"));
  }

  async #ask(
    key: string,
    signal: AbortSignal,
  ): Promise<{ readonly requeueAfterMs?: number } | undefined> {
    const watched = this.#watched.get(key);
    if (watched === undefined) return undefined;
    const result = await this.#answer(watched, AbortSignal.any([signal, watched.stop.signal]));
    if (signal.aborted || watched.stop.signal.aborted) return undefined;
    const { intervalMs, log, onResult, random } = this.#deps;
    watched.result = result;
    watched.failures = result.ok ? 0 : watched.failures + 1;
    if (!result.ok && watched.failures === 1)
      log.warn("tool server did not answer", { server: key, error: result.message });
    onResult(watched.ref);
    const retry = { leastMs: Math.min(LEAST_RETRY_MS, intervalMs), mostMs: intervalMs };
    // A tenth earlier or later: servers that came together are not asked together for ever.
    const requeueAfterMs = result.ok
      ? intervalMs * (0.9 + 0.2 * random())
      : backOffMs(retry, watched.failures, random);
    return { requeueAfterMs };
  }

  async #answer({ settings }: Watched, signal: AbortSignal): Promise<Discovery> {
    try {
      const asking = this.#deps.tools.listTools(settings, signal);
      return { ok: true, tools: await orAbort(asking, signal) };
    } catch (error) {
      return { ok: false, message: error instanceof Error ? error.message : String(error) };
    }
  }
}
