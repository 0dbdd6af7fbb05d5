import { type GitWriteViolation, gitWriteViolation } from "../api/rules/git-writes.ts";
import type { ModelToolCall } from "../model/chat-model.ts";
import type { Tool } from "./toolbox.ts";
import type { Turn } from "./turn-context.ts";

/** Guard layer that looks at calls, whatever a prompt or an approver says. */
const GUARD_LAYER = "tool-guard";

/** Why a call must never run; `undefined` for one that may. */
export function guardViolation(
  tool: Tool | undefined,
  { name, args }: Pick<ModelToolCall, "name" | "args">,
): GitWriteViolation | undefined {
  return tool?.kind === "mcp" ? gitWriteViolation(name, args) : undefined;
}

/** Writes the refusal of a call into the audit. @returns What the model is told. */
export async function auditRefusal(
  turn: Turn,
  { name }: Pick<ModelToolCall, "name">,
  { rule, message }: GitWriteViolation,
): Promise<string> {
  turn.deps.log.warn("call refused", { tool: name, rule: `git-writes/${rule}` });
  await turn.emit.event({
    type: "refusal",
    layer: GUARD_LAYER,
    rule: `git-writes/${rule}`,
    message: `${name}: ${message}`,
  });
  return `Not executed, refused by rule git-writes/${rule}: ${message}`;
}
