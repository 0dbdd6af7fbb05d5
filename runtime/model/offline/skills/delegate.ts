import { parseJson } from "../json-read.ts";
import { callOf, type KnownTool } from "../known-tool.ts";
import { OFFLINE_LABEL } from "../label.ts";
import { type Finding, report } from "../report.ts";
import { envelopeIn } from "../report-envelope.ts";
import type { PastCall, Situation } from "../situation.ts";
import type { Skill } from "../skill.ts";
import { named, oneLine, wordsOf } from "../words.ts";

/** Tools that are other agents: `namespace__NS__name`, dashes as underscores. */
const AGENT_TOOL = /^(.+)__NS__(.+)$/;

/** An agent is worth a second call beside the best when it fits at least half as well. */
const SECOND_SHARE = 0.5;
const MAX_DELEGATES = 2;
/** 8000 characters of the question are passed on. */
const MAX_REQUEST = 8000;

/** Hands the question to the agents whose descriptions fit it and reports what they answer. */
export const delegate: Skill = {
  name: "delegate",

  score: (situation) => (agents(situation).length === 0 ? 0 : 2),

  plan: (situation) =>
    chosen(situation).map((tool) =>
      callOf(tool, { request: situation.question.slice(0, MAX_REQUEST) }),
    ),

  report(situation) {
    const answers = situation.past.filter(
      ({ name, failed, text }) => AGENT_TOOL.test(name) && !failed && text !== "",
    );
    const replies = answers.map(replyOf);
    const findings = replies.flatMap((reply) => reply.findings);
    const names = replies.map(({ agent }) => agent);
    return report({
      operation: "delegate",
      summary:
        replies.length === 0
          ? "No agent answered."
          : `${named(names)} answered${replies.length === 1 ? `: ${replies[0]?.summary ?? ""}` : "."}`,
      ...(replies.length === 0 && { severity: "warning" }),
      findings,
      notes: replies.map(({ agent, text }) => `### ${agent}\n\n${text}`),
      next: replies.map(({ next }) => next).find((next) => next !== "") ?? "",
    });
  },
};

function agents({ tools }: Situation): readonly KnownTool[] {
  return tools.filter(({ name }) => AGENT_TOOL.test(name));
}

/** Best agents for the question by the words they share; the first one when none shares any. */
function chosen(situation: Situation): readonly KnownTool[] {
  const all = agents(situation);
  const scored = all
    .map((tool) => ({ tool, score: overlap(situation.question, tool) }))
    .sort((a, b) => b.score - a.score);
  const best = scored[0];
  if (best === undefined) return [];
  if (best.score === 0) return [best.tool];
  return scored
    .filter(({ score }) => score >= best.score * SECOND_SHARE)
    .slice(0, MAX_DELEGATES)
    .map(({ tool }) => tool);
}

function overlap(question: string, { name, description }: KnownTool): number {
  const own = new Set([...wordsOf(description), ...wordsOf(agentName(name))].map(stem));
  const asked = [...new Set(wordsOf(question).map(stem))];
  return asked.filter((word) => word.length > 2 && !FILLER.has(word) && own.has(word)).length;
}

const FILLER = new Set(
  "the and for with all any are was what which who why how can you from into that this when where there agent answer question about".split(
    " ",
  ),
);

/** A word without its usual endings, so that `pods` meets `pod`. */
function stem(word: string): string {
  return word.length > 4 ? word.replace(/(?:ies|ing|ed|es|s)$/, "") : word.replace(/s$/, "");
}

function agentName(tool: string): string {
  return (AGENT_TOOL.exec(tool)?.[2] ?? tool).replaceAll("_", "-");
}

interface Reply {
  readonly agent: string;
  readonly summary: string;
  readonly text: string;
  readonly findings: readonly Finding[];
  readonly next: string;
}

/** An agent's answer: its envelope where it sent one, and its text without the line that labels it. */
function replyOf({ name, text }: PastCall): Reply {
  const agent = agentName(name);
  const lines = text.split("\n");
  const envelope = lines
    .filter((line) => line.startsWith("{"))
    .map((line) => envelopeIn(parseJson(line)))
    .find((found) => found !== undefined);
  const own = lines
    .filter(
      (line) => !line.includes(OFFLINE_LABEL) && envelopeIn(parseJsonLine(line)) === undefined,
    )
    .join("\n")
    .trim();
  return {
    agent,
    summary: envelope?.summary ?? oneLine(own, 300),
    text: own === "" ? (envelope?.summary ?? "") : own,
    findings: (envelope?.data.issues ?? []).map((issue) => ({ ...issue, details: [] })),
    next: envelope?.recommended_action ?? "",
  };
}

function parseJsonLine(line: string): unknown {
  return line.startsWith("{") ? parseJson(line) : undefined;
}
