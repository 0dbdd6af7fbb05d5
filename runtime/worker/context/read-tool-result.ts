import * as z from "zod";
import type { BuiltinTool } from "../builtin-tool.ts";
import type { ToolAnswer, Turn } from "../turn-context.ts";
import { readable } from "./readable.ts";
import { READ_TOOL_RESULT } from "./rest-of-result.ts";

/** 4,000 characters of a result are given unless the model asks for another length. */
const DEFAULT_LENGTH = 4_000;
/** 8,000 characters of a result are given at once, some 3,000 tokens. */
const MAX_LENGTH = 8_000;
/** 50 lines with the words that were looked for, each of at most 300 characters. */
const MAX_LINES = 50;
const MAX_LINE = 300;

const Arguments = z.object({
  call_id: z.string().min(1).max(200).describe("call_id of the call whose result is to be read"),
  offset: z.int().min(0).default(0).describe("First character to give"),
  length: z.int().min(1).max(MAX_LENGTH).default(DEFAULT_LENGTH).describe("Characters to give"),
  pattern: z
    .string()
    .min(1)
    .max(200)
    .describe(
      "Words to look for, any case, no regular expression: gives the lines with them instead",
    )
    .optional(),
});

const INPUT_SCHEMA = z.toJSONSchema(Arguments, { io: "input" });

/** The tool by which a model reads what a prompt left out of a tool's result in its own session. */
export function readToolResult(turn: Turn): BuiltinTool {
  return {
    kind: "builtin",
    offered: "when-shortened",
    description: {
      name: READ_TOOL_RESULT,
      description:
        "Read a part of an earlier tool result of this session that was shortened or left out, or find lines in it.",
      inputSchema: INPUT_SCHEMA,
    },
    run: (args) => Promise.resolve(answer(turn, args)),
  };
}

function answer(turn: Turn, args: Readonly<Record<string, unknown>>): ToolAnswer {
  const parsed = Arguments.safeParse(args);
  if (!parsed.success) return failed(z.prettifyError(parsed.error));
  const { call_id: callId, pattern } = parsed.data;
  const result = turn
    .history()
    .findLast(({ body }) => body.type === "tool-result" && body.callId === callId)?.body;
  if (result?.type !== "tool-result") return failed(unknownCall(turn, callId));
  const text = readable(result.parts);
  // more than that of one result is not shown anyhow
  const most = Math.max(1, Math.floor(turn.config.toolResultMaxBytes / 4));
  const length = Math.min(parsed.data.length, most);
  const found =
    pattern === undefined
      ? piece(text, parsed.data.offset, length)
      : linesWith(text, pattern, length);
  return { ok: true, parts: [{ text: found }] };
}

function piece(text: string, offset: number, length: number): string {
  const end = Math.min(text.length, offset + length);
  if (offset >= text.length && text !== "")
    return `[nothing at ${offset}: the result has ${text.length} characters]`;
  const rest = end < text.length ? `; go on with offset ${end}` : "";
  return `[characters ${offset} to ${end} of ${text.length}${rest}]\n${text.slice(offset, end).toWellFormed()}`;
}

function linesWith(text: string, pattern: string, length: number): string {
  const wanted = pattern.toLowerCase();
  const lines = text.split("\n");
  const found = lines.flatMap((line, index) => {
    const at = line.toLowerCase().indexOf(wanted);
    return at < 0 ? [] : [`${index + 1}: ${around(line, at)}`];
  });
  let used = 0;
  const given = found.slice(0, MAX_LINES).filter((line) => (used += line.length + 1) <= length);
  return [
    `[${found.length} of ${lines.length} lines hold it${given.length < found.length ? `; the first ${given.length}` : ""}]`,
    ...given,
  ].join("\n");
}

/** A line, or what stands around `at` in a long one. */
function around(line: string, at: number): string {
  if (line.length <= MAX_LINE) return line;
  const start = Math.max(0, Math.min(at - MAX_LINE / 3, line.length - MAX_LINE));
  return `...${line.slice(start, start + MAX_LINE).toWellFormed()}...`;
}

function unknownCall(turn: Turn, callId: string): string {
  const known = turn
    .history()
    .flatMap(({ body }) =>
      body.type === "tool-result" && body.name !== READ_TOOL_RESULT ? [body] : [],
    )
    .slice(-10)
    .map((body) => `${body.callId} (${body.name})`);
  const newest = known.length === 0 ? "none" : known.join(", ");
  return `This session has no result of a call "${callId}". The newest ones: ${newest}.`;
}

function failed(text: string): ToolAnswer {
  return { ok: false, parts: [{ text }] };
}
