import assert from "node:assert/strict";
import type { AgentResult, AgentUpdate } from "../../runtime/a2a/client.ts";

/** Last update of a call, which is its result. */
export function resultOf(updates: readonly AgentUpdate[]): AgentResult {
  const last = updates.at(-1);
  assert.ok(last?.kind === "result");
  assert.equal(updates.filter(({ kind }) => kind === "result").length, 1);
  return last;
}
