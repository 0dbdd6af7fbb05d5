import { calculationIn } from "../expression.ts";
import { type Report, report } from "../report.ts";
import { simpleSkill } from "../simple-skill.ts";
import type { PastCall, Situation } from "../situation.ts";
import { counted, nameWords, oneLine, wordsOf } from "../words.ts";

/** The current time. */
export const currentTime = simpleSkill({
  name: "time",
  tools: ["get_current_time"],
  words:
    /\b(what time|current time|time is it|the time|what day|what date|current date|today'?s date|date today|now in)\b/iu,
  weight: 7,
  noun: "time",
  arguments: ({ question }) => {
    const zone = zoneIn(question);
    return { timezone: zone, time_zone: zone };
  },
  report: (_situation, answers) => spoken("time", answers, "The time could not be read."),
});

/** Time zone that a question names, by its IANA name or its city. */
function zoneIn(question: string): string | undefined {
  const lower = ` ${wordsOf(question).join(" ").replaceAll("_", " ")} `;
  return Intl.supportedValuesOf("timeZone").find((zone) => {
    const name = zone.toLowerCase().replaceAll("_", " ");
    return lower.includes(` ${name} `) || lower.includes(` ${name.split("/").at(-1) ?? name} `);
  });
}

const REMEMBER =
  /\b(?:please\s+)?(?:remember|memori[sz]e|store|note|save|keep in mind)\b(?:\s+(?:this|that|the fact|it))*\s*[:,]?\s*/iu;

/** Stores what the user asks to remember. */
export const remember = simpleSkill({
  name: "remember",
  tools: ["add_memory"],
  words: /\b(remember|memori[sz]e|store this|store that|note that|save this|keep in mind)\b/iu,
  weight: 7,
  noun: "memory",
  arguments({ question }) {
    if (/\b(do|did|what|which) you remember\b|\?\s*$/iu.test(question)) return undefined;
    const content = question.replace(REMEMBER, "").trim();
    return content === "" ? undefined : { content };
  },
  report: (_situation, answers) => spoken("remember", answers, "Nothing was stored."),
});

/** Looks memories up. */
export const recall = simpleSkill({
  name: "recall",
  tools: ["search_memories"],
  words: /\b(recall|remember|what do you know|know about|remembered|memor(?:y|ies)|told you)\b/iu,
  weight: 6,
  noun: "memory",
  arguments: ({ question }) => ({ query: subjectOf(question) }),
  report: (_situation, answers) => remembered(answers),
});

/** All memories. */
export const listMemories = simpleSkill({
  name: "list memories",
  tools: ["list_memories"],
  words:
    /\b(list (?:all |my |your )?memories|all (?:my |your )?memories|everything you (?:know|remember)|show (?:me )?(?:all |my |your )?memories)\b/iu,
  weight: 13,
  noun: "memory",
  arguments: () => ({ limit: 50 }),
  report: (_situation, answers) => remembered(answers),
});

/** Runs Python: a fenced block of the question, or a calculation that it asks for. */
export const python = simpleSkill({
  name: "Python",
  tools: ["execute_python"],
  words:
    /\b(python|calculate|compute|run (?:this |the )?(?:code|script)|script|evaluate|how (?:much|many)|what is|run code)\b/iu,
  weight: 6,
  noun: "result",
  arguments({ question }) {
    const code = pythonIn(question);
    return code === undefined ? undefined : { code };
  },
  report: calculated,
});

/** Fetches the address in the question. */
export const httpRequest = simpleSkill({
  name: "HTTP",
  tools: ["make_http_request"],
  words: /\b(https?|fetch|curl|http request|download|url|get)\b/iu,
  weight: 6,
  noun: "answer",
  arguments({ question }) {
    const url = /https?:\/\/[^\s"'`<>)\]]{1,2000}/i.exec(question)?.[0].replace(/[.,;:!?]+$/, "");
    return url === undefined ? undefined : { url, method: "GET" };
  },
});

function pythonIn(question: string): string | undefined {
  const fenced = /```(?:python|py)?\s*\n([\s\S]{1,10000}?)```/i.exec(question)?.[1];
  if (fenced !== undefined) return fenced;
  const calculation = calculationIn(question);
  return calculation === undefined ? undefined : `print(${calculation.expression})`;
}

/** A result with how it was found; a program of the user's own speaks for itself. */
function calculated({ question }: Situation, answers: readonly PastCall[]): Report {
  const calculation = question.includes("```") ? undefined : calculationIn(question);
  const result = answers[0]?.text ?? "";
  if (calculation === undefined || result === "" || result.includes("\n"))
    return spoken("Python", answers, "The code did not run.");
  const { expression, unit } = calculation;
  return report({
    operation: "Python",
    summary: `${result}${unit === "" ? "" : ` ${unit}`}: Python's value of \`${expression}\`.`,
  });
}

function subjectOf(question: string): string {
  const words = nameWords(question).filter(
    (word) => !/^(recall|remember\w*|memor\w+|know|told|said|store|search|fetch)$/.test(word),
  );
  return words.length > 0 ? words.slice(0, 8).join(" ") : oneLine(question, 200);
}

/** Short answers of tools are sentences already. */
function spoken(operation: string, answers: readonly PastCall[], nothing: string): Report {
  const text = answers.map((answer) => answer.text).join("\n");
  if (text === "") return report({ operation, summary: nothing, severity: "warning" });
  const lines = text.split("\n");
  return text.length <= 300 && lines.length <= 3
    ? report({ operation, summary: lines.join("; ") })
    : report({ operation, summary: "This is the result.", quotes: [{ title: "Result", text }] });
}

/** Memories as a list; a tool that has none says so in a sentence. */
function remembered(answers: readonly PastCall[]): Report {
  const texts = answers.map(({ text }) => text);
  const lines = texts.flatMap((text) => text.split("\n")).filter((line) => line.startsWith("- "));
  if (lines.length === 0) return spoken("memory", answers, "The memories could not be read.");
  return report({
    operation: "memory",
    summary: `${counted(lines.length, "memory", "memories")} found.`,
    tables: [{ title: "Memory", columns: ["Memory"], rows: lines.map((line) => [line.slice(2)]) }],
  });
}
