import { systemClock } from "../../runtime/process/clock.ts";

/** How long and how a condition of a foreign process is waited for. */
export interface PollOptions {
  /** What is waited for, in the error: "failed to see <what> within ...". */
  readonly what: string;
  /** Limit of the whole wait. */
  readonly timeoutMs: number;
  /** Ends the wait. */
  readonly signal: AbortSignal;
}

/** The condition did not come true in time; `cause` is what the last attempt threw, if it threw. */
export class PollTimeoutError extends Error {
  override readonly name = "PollTimeoutError";
}

const PAUSE_MS = 100;

/**
 * Asks `probe` every 100 ms until it answers with something else than `undefined`, and returns that.
 *
 * Only for what another process does and cannot tell by itself. A throwing probe counts as "not yet".
 *
 * @throws PollTimeoutError after `timeoutMs`; the signal's reason when it aborts.
 */
export async function poll<T>(
  probe: (signal: AbortSignal) => Promise<T | undefined>,
  options: PollOptions,
): Promise<T> {
  const { what, timeoutMs, signal } = options;
  const deadline = AbortSignal.timeout(timeoutMs);
  const either = AbortSignal.any([signal, deadline]);
  const isOver = (): boolean => either.aborted;
  let problem: unknown;
  while (!isOver()) {
    try {
      const answer = await probe(either);
      if (answer !== undefined) return answer;
      problem = undefined;
    } catch (error) {
      if (!isOver()) problem = error;
    }
    await systemClock.sleep(PAUSE_MS, either).catch(() => undefined);
  }
  signal.throwIfAborted();
  const said = problem instanceof Error ? `: ${problem.message}` : "";
  throw new PollTimeoutError(`failed to see ${what} within ${timeoutMs} ms${said}`, {
    cause: problem,
  });
}
