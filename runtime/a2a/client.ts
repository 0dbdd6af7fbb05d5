import { systemClock } from "../process/clock.ts";
import { orAbort } from "../process/or-abort.ts";
import { silentLog } from "../telemetry/log.ts";
import { type AgentCall, type ClientDeps, Exchange } from "./agent-exchange.ts";
import { AgentCallError } from "./call-error.ts";
import { untilAborted } from "./until-aborted.ts";
import type { AgentUpdate } from "./update-reader.ts";

export type { AgentCall } from "./agent-exchange.ts";
export { AgentCallError } from "./call-error.ts";
export type { AgentResult, AgentUpdate } from "./update-reader.ts";

/** Calls agents over A2A: 1.0, or 0.3 where a card says so. */
export class A2aClient {
  readonly #deps: ClientDeps;

  constructor(deps: ClientDeps) {
    this.#deps = deps;
  }

  /**
   * Sends a message and tells what the agent does, its `result` last.
   *
   * A stream that breaks is joined again, else the task is asked for once; nothing is told twice. When
   * `signal` aborts, or the call fails with the task known, the task is cancelled once, in the background.
   *
   * @throws AgentCallError; the signal's reason when it aborts.
   */
  async *call(call: AgentCall, signal: AbortSignal): AsyncGenerator<AgentUpdate, void, undefined> {
    signal.throwIfAborted();
    const exchange = new Exchange(call, this.#deps);
    let outcome: "left" | "failed" | "done" = "left";
    try {
      for await (const update of untilAborted(exchange.updates(), signal)) {
        if (update.kind === "result") outcome = "done";
        yield update;
        if (update.kind === "result") return;
      }
      outcome = "failed";
      signal.throwIfAborted();
      throw new AgentCallError(
        "protocol",
        `the agent at ${exchange.shownUrl} ended without a result`,
      );
    } catch (error) {
      outcome = "failed";
      throw error;
    } finally {
      if (outcome === "failed") void exchange.abandon();
      if (outcome === "left") exchange.close();
    }
  }

  /**
   * Cancels a task of an agent that is not being called.
   *
   * @throws AgentCallError; the signal's reason when it aborts.
   */
  async cancel(
    task: Pick<AgentCall, "url" | "headers"> & { readonly taskId: string },
    signal: AbortSignal,
  ): Promise<void> {
    signal.throwIfAborted();
    const exchange = new Exchange({ ...task, parts: [] }, this.#deps);
    try {
      await orAbort(exchange.cancel(task.taskId), signal);
    } finally {
      exchange.close();
    }
  }
}

/** {@link A2aClient.call} for callers without a clock or log of their own. */
export function callAgent(
  call: AgentCall,
  signal: AbortSignal,
): AsyncGenerator<AgentUpdate, void, undefined> {
  return new A2aClient({ clock: systemClock, log: silentLog }).call(call, signal);
}
