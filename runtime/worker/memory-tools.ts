import * as z from "zod";
import type { BuiltinTool } from "./builtin-tool.ts";
import { MAX_MEMORY_LENGTH, memoryLines, memoryOf } from "./memory.ts";
import type { ToolAnswer, Turn } from "./turn-context.ts";

/** 30 s: an embedding model may have to be loaded. */
const LOAD_TIMEOUT_MS = 30_000;

const Save = z.object({
  content: z
    .string()
    .trim()
    .min(1)
    .max(MAX_MEMORY_LENGTH)
    .describe("What to remember, understandable on its own"),
});
const Load = z.object({
  query: z.string().trim().min(1).max(MAX_MEMORY_LENGTH).describe("What it is about"),
});

/** `save_memory` and `load_memory` of an agent with a long-term memory; none without (kagent-api section 2.6). */
export function memoryTools(turn: Turn): readonly BuiltinTool[] {
  const memory = memoryOf(turn);
  if (memory === undefined) return [];
  const save = tool(
    "save_memory",
    "Remember a fact, a preference or a decision of this user for later sessions. Never save credentials.",
    Save,
    async ({ content }) => {
      await memory.save(content);
      return "Saved.";
    },
  );
  const load = tool(
    "load_memory",
    "Search what was remembered of earlier sessions with this user, by meaning.",
    Load,
    async ({ query }) => {
      const found = await memory.find(query, LOAD_TIMEOUT_MS);
      if (found.length === 0) return "Nothing that comes near is remembered.";
      return memoryLines(found, turn.config.toolResultMaxBytes);
    },
  );
  return [save, load];
}

function tool<T extends z.ZodObject>(
  name: string,
  description: string,
  schema: T,
  work: (args: z.output<T>) => Promise<string>,
): BuiltinTool {
  const run: BuiltinTool["run"] = async (args, signal) => {
    const parsed = schema.safeParse(args);
    if (!parsed.success) return answer(false, z.prettifyError(parsed.error));
    try {
      return answer(true, await work(parsed.data));
    } catch (error) {
      signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      return answer(false, `${why}; go on without`);
    }
  };
  const inputSchema = z.toJSONSchema(schema, { io: "input" });
  return {
    kind: "builtin",
    offered: "always",
    description: { name, description, inputSchema },
    run,
  };
}

function answer(ok: boolean, text: string): ToolAnswer {
  return { ok, parts: [{ text }] };
}
