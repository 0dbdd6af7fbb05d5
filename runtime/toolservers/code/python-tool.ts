import * as z from "zod";
import type { ToolDefinition } from "../../api/tool.ts";
import { boundBytes } from "../bounded-text.ts";
import { defineTool, ToolFailure } from "../define-tool.ts";
import type { PythonResult, PythonSandbox } from "./python-sandbox.ts";

/** 64 KiB of source: more than a model writes in one answer. */
const MAX_SOURCE = 65_536;
const DEFAULT_SECONDS = 30;
const MAX_SECONDS = 120;
/** 4 KiB of a traceback: its end names the fault. */
const MAX_TRACEBACK_BYTES = 4096;

/** Runs Python in the sandbox. */
export function executePython(sandbox: Pick<PythonSandbox, "run">): ToolDefinition {
  return defineTool({
    name: "execute_python",
    description:
      "Runs Python 3.12 with its standard library and returns what it prints. No network, files, packages or environment; each run starts empty.",
    inputSchema: z.strictObject({
      code: z.string().min(1).max(MAX_SOURCE).describe("The program; print the result"),
      timeout_seconds: z
        .int()
        .min(1)
        .max(MAX_SECONDS)
        .default(DEFAULT_SECONDS)
        .describe("Longest run in seconds"),
    }),
    run: async ({ code, timeout_seconds: seconds }, { signal }) =>
      answer(await sandbox.run(code, seconds * 1_000, signal), seconds),
  });
}

function answer(result: PythonResult, seconds: number): string {
  const printed = boundBytes(result.stdout.trimEnd());
  const said = printed === "" ? "" : `\nIt had printed:\n${printed}`;
  switch (result.end) {
    case "timeout":
      throw new ToolFailure(
        `the program did not end within ${seconds} s; make it faster or raise timeout_seconds (at most ${MAX_SECONDS})${said}`,
      );
    case "output":
      throw new ToolFailure(`the program printed more than 1 MiB and was ended; print less${said}`);
    case "crash":
      throw new ToolFailure(
        `the interpreter broke, most likely for want of memory (256 MiB)${said}`,
      );
    case "exit":
      if (result.code === 0)
        return printed === "" ? "the program ended without printing anything" : printed;
      throw new ToolFailure(`${lastBytes(result.stderr.trimEnd())}${said}`);
  }
}

function lastBytes(text: string): string {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length <= MAX_TRACEBACK_BYTES) return text;
  return `...${bytes.subarray(bytes.length - MAX_TRACEBACK_BYTES).toString("utf8")}`;
}
