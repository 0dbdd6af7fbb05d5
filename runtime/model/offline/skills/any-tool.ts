import { isObject, listAt, textAt, valueAt } from "../json-read.ts";
import { callOf, type KnownTool, type PlannedCall } from "../known-tool.ts";
import { report } from "../report.ts";
import { shown } from "../simple-skill.ts";
import type { Situation } from "../situation.ts";
import type { Skill } from "../skill.ts";
import { namespaceIn } from "../subject.ts";
import { nameWords, oneLine, wordsOf } from "../words.ts";

/** Tools that no rule knows: the one whose name and description share most words with the question. */
export const anyTool: Skill = {
  name: "any tool",

  score: (situation) => (best(situation) === undefined ? 0 : 1.5),

  plan: (situation) => [best(situation)?.call],

  report(situation) {
    const tool = best(situation)?.tool;
    const answers = situation.past.filter(
      ({ name, failed, text }) => name === tool?.name && !failed && text !== "",
    );
    const plain = shown({ name: "tool", noun: "record" })(situation, answers);
    return { ...plain, summary: `${plain.summary} (${tool?.name ?? ""})` };
  },
};

interface Match {
  readonly tool: KnownTool;
  readonly call: PlannedCall;
}

function best(situation: Situation): Match | undefined {
  return situation.tools
    .filter(({ readOnly }) => readOnly)
    .filter(({ name }) => !name.includes("__NS__"))
    .map((tool) => ({ tool, score: shared(situation.question, tool) }))
    .filter(({ score }) => score >= 2)
    .sort((a, b) => b.score - a.score)
    .map(({ tool }) => ({ tool, call: callOf(tool, guessed(tool, situation.question)) }))
    .find((match): match is Match => match.call !== undefined);
}

function shared(question: string, tool: KnownTool): number {
  const own = new Set([...wordsOf(tool.description), ...tool.bareName.toLowerCase().split(/[_-]/)]);
  return new Set(wordsOf(question).filter((word) => word.length > 2 && own.has(word))).size;
}

/** Arguments that the question holds: choices by name, numbers, names, else the question itself. */
function guessed({ inputSchema }: KnownTool, question: string): Record<string, unknown> {
  const properties = valueAt(inputSchema, "properties");
  const required = listAt(inputSchema, "required");
  const words = new Set(wordsOf(question));
  const names = nameWords(question);
  const found: Record<string, unknown> = {};
  for (const [key, schema] of Object.entries(isObject(properties) ? properties : {})) {
    const choice = listAt(schema, "enum").find((each) => words.has(String(each).toLowerCase()));
    if (choice !== undefined) found[key] = choice;
    else if (/namespace/i.test(key)) found[key] = namespaceIn(question);
    else if (required.includes(key))
      found[key] = required.length === 1 ? text(schema, key, question, names) : names[0];
  }
  return found;
}

function text(schema: unknown, key: string, question: string, names: readonly string[]): unknown {
  const type = textAt(schema, "type");
  if (type === "integer" || type === "number") {
    const digits = /\b\d{1,9}\b/.exec(question)?.[0];
    return digits === undefined ? undefined : Number(digits);
  }
  if (type !== "string" && type !== "") return undefined;
  return /query|search|question|text|prompt|request|message/i.test(key)
    ? oneLine(question, 2000)
    : names[0];
}

/** What the model can do, when nothing else fits. */
export const abilities: Skill = {
  name: "abilities",

  score: () => 0.5,

  plan: () => [],

  report({ tools }) {
    const lines = tools
      .filter(({ name }) => name !== "ask_user")
      .map(
        ({ name, description }) =>
          `- \`${name}\`: ${oneLine(description.split(/(?<=\.)\s/)[0] ?? "", 160)}`,
      );
    return report({
      operation: "help",
      summary:
        lines.length === 0
          ? "There are no tools here, so nothing can be looked up."
          : "None of the fixed rules fits this question, so nothing was looked up.",
      notes: lines.length === 0 ? [] : [`With these tools it could be:\n\n${lines.join("\n")}`],
      next: "ask about failing pods, Flux, Helm releases, events, logs, metrics, costs, pull requests or memories, as far as the tools above reach.",
    });
  },
};
