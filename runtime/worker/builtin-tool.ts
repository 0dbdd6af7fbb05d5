import type { ToolDescription } from "../api/tool.ts";
import type { ToolAnswer } from "./turn-context.ts";

/** A tool that the runtime itself answers. */
export interface BuiltinTool {
  readonly kind: "builtin";
  readonly description: ToolDescription;
  /** `when-shortened`: models are told of it only where a prompt leaves something out. */
  readonly offered: "always" | "when-shortened";
  /**
   * Runs a call.
   *
   * @returns Also for a failure the model may learn from.
   * @throws The signal's reason after an abort.
   */
  readonly run: (
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ) => Promise<ToolAnswer>;
}
