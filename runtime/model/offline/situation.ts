import type { EnvelopeAnswer } from "../../api/envelope.ts";
import type { ChatMessage, ChatRequest } from "../chat-model.ts";
import { splitFindings } from "./findings.ts";
import type { JsonObject } from "./json-read.ts";
import { isTool, type KnownTool, knownTool } from "./known-tool.ts";

/** A tool call of the current turn with its answer. */
export interface PastCall {
  /** Tool as it was called. */
  readonly name: string;
  readonly args: JsonObject;
  /** Without comment lines; empty while there is no answer. */
  readonly text: string;
  /** The answer as it came. */
  readonly raw: string;
  /** Comment lines at the top of the answer, e.g. that its data is a stand-in. */
  readonly remarks: readonly string[];
  /** Whether the answer is an error. */
  readonly failed: boolean;
}

/** What the planner knows when it is asked. */
export interface Situation {
  /** What the user asked; for a follow-up with the question before it. */
  readonly question: string;
  /** What another agent found out about the question beforehand. */
  readonly findings?: EnvelopeAnswer;
  /** System message. */
  readonly system: string;
  /** Tools that may be called. */
  readonly tools: readonly KnownTool[];
  /** Calls since the question, oldest first. */
  readonly past: readonly PastCall[];
  /** What was answered to the question already; empty unless the answer is to be put into another form. */
  readonly said: string;
}

/** Longest question that is read: bounds every pattern that looks at it. */
const MAX_QUESTION = 20_000;

/** Reads a request. Without tools, those that the turn has called already count as known. */
export function situationOf(request: ChatRequest): Situation {
  const { messages } = request;
  const asked = questionIndex(messages, request.format !== undefined);
  const past = pastCalls(messages.slice(asked + 1));
  const described = request.tools.map(knownTool);
  const { findings } = splitFindings(wholeText(messages[asked]));
  const said = messages.slice(asked + 1).findLast(({ role }) => role === "assistant");
  return {
    said: said?.role === "assistant" && said.toolCalls.length === 0 ? said.text : "",
    question: questionText(messages, asked).slice(0, MAX_QUESTION),
    ...(findings === undefined ? {} : { findings }),
    system: messages[0]?.role === "system" ? messages[0].text : "",
    tools: described.length > 0 ? described : past.map(toolOfCall),
    past,
  };
}

/**
 * Index of the user's question, -1 without one.
 *
 * A message that asks to put the answer into JSON comes from the runtime, after the answer: the question
 * is the one before it.
 */
function questionIndex(messages: readonly ChatMessage[], formatted: boolean): number {
  const last = messages.findLastIndex(({ role }) => role === "user");
  const instruction = messages[last];
  const before = messages[last - 1];
  const isInstruction =
    formatted &&
    last === messages.length - 1 &&
    instruction !== undefined &&
    (before?.role === "assistant" || before?.role === "tool") &&
    /\b(json|envelope|schema)\b/i.test(instruction.role === "user" ? instruction.text : "");
  if (!isInstruction) return last;
  return messages.slice(0, last).findLastIndex(({ role }) => role === "user");
}

/** How questions begin that make sense only after the one before. */
const FOLLOW_UP = /^\s*(and|also|what about|how about|same for|again|only|just|or)\b/i;

function questionText(messages: readonly ChatMessage[], asked: number): string {
  const question = userText(messages[asked]);
  if (!FOLLOW_UP.test(question)) return question;
  const before = messages.slice(0, asked).findLast(({ role }) => role === "user");
  return before === undefined ? question : `${userText(before)}\n${question}`;
}

/** A user's request, without what other agents found out about it. */
function userText(message: ChatMessage | undefined): string {
  return splitFindings(wholeText(message)).request;
}

function wholeText(message: ChatMessage | undefined): string {
  return message?.role === "user" ? message.text : "";
}

function pastCalls(messages: readonly ChatMessage[]): readonly PastCall[] {
  const answers = new Map(
    messages.flatMap((message) =>
      message.role === "tool" ? [[message.callId, message.text]] : [],
    ),
  );
  return messages
    .flatMap((message) => (message.role === "assistant" ? message.toolCalls : []))
    .map(({ id, name, args }) => pastCall(name, args, answers.get(id) ?? ""));
}

/** How the answers of failed calls begin, from our own runtime, from kubectl and from rejected approvals. */
const FAILURE = /^\s*(error\b|failed\b|tool call was rejected|no result: |\{\s*"error"\s*:)/i;

function pastCall(name: string, args: JsonObject, answer: string): PastCall {
  // A failed call of a stand-in: its label stands behind the runtime's word for a failure.
  const lines = answer.replace(/^(Error: )(# [^\n]*\n)/, "$2$1").split("\n");
  const first = lines.findIndex((line) => !/^# |^\s*$/.test(line));
  const remarks = (first < 0 ? lines : lines.slice(0, first))
    .map((line) => line.replace(/^# /, "").trim())
    .filter((line) => line !== "");
  const text = first < 0 ? "" : lines.slice(first).join("\n").trim();
  return { name, args, text, raw: answer, remarks, failed: FAILURE.test(text) };
}

function toolOfCall({ name, args }: PastCall): KnownTool {
  const properties = Object.fromEntries(Object.keys(args).map((key) => [key, {}]));
  return knownTool({ name, description: "", inputSchema: { type: "object", properties } });
}

/** Tool `bare` with whatever prefix; of several clusters the one that the question names, else the first. */
export function toolNamed(situation: Situation, ...bare: readonly string[]): KnownTool | undefined {
  const found = situation.tools.filter(({ name }) => bare.some((each) => isTool(name, each)));
  const question = situation.question.toLowerCase();
  return (
    found.find(({ cluster }) => cluster !== "" && question.includes(cluster.toLowerCase())) ??
    found[0]
  );
}

/**
 * Whether all tools of a skill can be called; once the answer is only put into another form, whether it called one:
 * by then nobody tells which others there were.
 *
 * @param optional - Tools that the skill can do without.
 */
export function hasTools(
  situation: Situation,
  needed: readonly string[],
  optional: readonly string[] = [],
): boolean {
  const isThere = (tool: string) => toolNamed(situation, tool) !== undefined;
  if (situation.said === "") return needed.every(isThere);
  return [...needed, ...optional].some(isThere);
}

/** Answered calls of tool `bare` in this turn. */
export function answersOf(situation: Situation, bare: string): readonly PastCall[] {
  return situation.past.filter(({ name }) => isTool(name, bare));
}
