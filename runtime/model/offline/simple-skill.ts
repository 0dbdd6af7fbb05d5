import type { JsonObject } from "./json-read.ts";
import { callOf } from "./known-tool.ts";
import { readRecords } from "./read-records.ts";
import { type Report, report } from "./report.ts";
import { answersOf, type PastCall, type Situation, toolNamed } from "./situation.ts";
import type { Skill } from "./skill.ts";
import { counted, hits } from "./words.ts";

/** A skill of one call whose answer is shown. */
export interface SimpleSkill {
  readonly name: string;
  /** Tool, without prefix; several names where servers differ. */
  readonly tools: readonly string[];
  /** Words of questions for it. */
  readonly words: RegExp;
  /** Score for each distinct word. */
  readonly weight: number;
  /** What is shown, e.g. `alert rule`. */
  readonly noun: string;
  /** Arguments; `undefined` when the question does not hold what is needed. */
  arguments(situation: Situation): JsonObject | undefined;
  /** A report of its own; a table or the text as it came unless set. */
  readonly report?: (situation: Situation, answers: readonly PastCall[]) => Report;
}

/** A skill that makes one call and shows what came back. */
export function simpleSkill(parts: SimpleSkill): Skill {
  return {
    name: parts.name,
    score(situation) {
      const fit = parts.weight * hits(situation.question, parts.words).length;
      if (fit === 0 || toolNamed(situation, ...parts.tools) === undefined) return 0;
      return parts.arguments(situation) === undefined ? 0 : fit;
    },
    plan: (situation) => [
      callOf(toolNamed(situation, ...parts.tools), parts.arguments(situation) ?? {}),
    ],
    report(situation) {
      const answers = parts.tools
        .flatMap((tool) => answersOf(situation, tool))
        .filter(({ failed, text }) => !failed && text !== "");
      return (parts.report ?? shown(parts))(situation, answers);
    },
  };
}

/** The answer as a table where it is one, else as it came. */
export function shown({ name, noun }: Pick<SimpleSkill, "name" | "noun">) {
  return (situation: Situation, answers: readonly PastCall[]): Report => {
    const tables = answers.flatMap(({ text }) => readRecords(text) ?? []);
    const rows = tables.reduce((sum, table) => sum + table.rows.length, 0);
    const read = tables.length > 0;
    const spoken = read ? undefined : sentenceOf(answers);
    return report({
      operation: name,
      cluster: clusterOf(situation, answers),
      summary: spoken ?? sentence(noun, answers.length, read ? rows : undefined),
      tables: tables.map((table) => ({
        title: `${noun[0]?.toUpperCase() ?? ""}${noun.slice(1)}`,
        columns: table.columns,
        rows: table.rows.map((row) => table.columns.map((column) => row[column] ?? "-")),
      })),
      quotes:
        read || spoken !== undefined
          ? []
          : answers.map(({ text }) => ({ title: "Answer of the tool", text })),
    });
  };
}

/** Longest answer of a tool that is taken for a sentence. */
const MAX_SENTENCE = 300;

/** The answer of a tool that is one short line. */
function sentenceOf(answers: readonly PastCall[]): string | undefined {
  const [only] = answers;
  if (only === undefined || answers.length > 1) return undefined;
  const { text } = only;
  return text.length <= MAX_SENTENCE && !text.includes("\n") ? text : undefined;
}

/** Cluster of the tools that answered. */
export function clusterOf({ tools }: Situation, answers: readonly PastCall[]): string {
  const names = new Set(answers.map(({ name }) => name));
  return tools.find(({ name, cluster }) => names.has(name) && cluster !== "")?.cluster ?? "";
}

function sentence(noun: string, answers: number, rows: number | undefined): string {
  if (answers === 0) return `No ${noun} could be read.`;
  return rows === undefined ? `This is what the tool says.` : `${counted(rows, noun)} found.`;
}
