import { ClusterError } from "../../api/cluster-reader.ts";
import { NameTakenError } from "./object-writer.ts";
import type { Outcome } from "./reconcile-deps.ts";
import { BundleMissingError } from "./worker-bundle.ts";

/** 2 s until the garbage collector has taken away what a deleted Agent of the same name left. */
const LEFTOVER_MS = 2_000;
/** 1 min until another look at a name that somebody else has; nothing tells when it is free. */
const NAME_TAKEN_MS = 60_000;

/** What kept a pass from its end. */
export interface Problem {
  /** For people; `undefined` when it is none of theirs. */
  readonly problem: string | undefined;
  /** Whether another attempt at once would end the same way. */
  readonly isOver: boolean;
  /** When to look again without a word from anybody. */
  readonly outcome: Outcome;
}

/** What a failure means: for people, for the queue, or for both. */
export function problemOf(error: unknown): Problem {
  if (error instanceof NameTakenError) {
    const requeueAfterMs = error.isPassing ? LEFTOVER_MS : NAME_TAKEN_MS;
    return { problem: error.message, isOver: true, outcome: { requeueAfterMs } };
  }
  // The pointer wakes who waits for it.
  if (error instanceof BundleMissingError)
    return { problem: error.message, isOver: true, outcome: { requeueAfterMs: NAME_TAKEN_MS } };
  if (error instanceof ClusterError && error.code === "invalid")
    return { problem: error.message, isOver: true, outcome: undefined };
  // A quota or a missing role: for people, and it may be mended without a word to us.
  if (error instanceof ClusterError && ["forbidden", "unauthorized"].includes(error.code))
    return { problem: error.message, isOver: false, outcome: undefined };
  return { problem: undefined, isOver: false, outcome: undefined };
}
