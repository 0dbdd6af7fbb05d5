import type { BuiltinTool } from "./builtin-tool.ts";
import { readToolResult } from "./context/read-tool-result.ts";
import { memoryTools } from "./memory-tools.ts";
import type { Turn } from "./turn-context.ts";

/** The tools of a turn that the runtime itself answers; `ask_user`, which waits for people, is none of them. */
export function builtinTools(turn: Turn): readonly BuiltinTool[] {
  return [...memoryTools(turn), readToolResult(turn)];
}
