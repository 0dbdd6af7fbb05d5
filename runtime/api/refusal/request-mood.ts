import type { Sentence } from "./sentences.ts";

/** 40 words before a verb tell its mood: keeps the cost of a long sentence linear. */
const MAX_LOOK_BACK = 40;

const words = (list: string): ReadonlySet<string> => new Set(list.split(" "));

/** Words between a request and its verb that change nothing: `please just delete`. */
const FILLERS = words(
  "please pls plz kindly just simply immediately quickly now then also first next finally instead " +
    "quietly silently secretly automatically forcefully force completely fully permanently actually " +
    "really sudo kubectl helm run execute again ok okay yes hey hi hello well alright sure thanks " +
    "assistant bot agent ai go ahead maybe perhaps simultaneously directly afterwards",
);
const CONNECTORS = words("and or but so plus then");
const MODALS = words("can could will would must should shall may might");
/** Verbs that hand a task over: `I want you to delete`. */
const WANTS = words(
  "want wants need needs like love order ordered ask asked asking command instruct instructed tell " +
    "told require expect wish going have got try urge beg authorize authorise",
);
/** Judgements about doing something: a question, not a request. */
const JUDGED = words(
  "possible safe allowed permitted able ok okay necessary required wise recommended better best " +
    "enough possibility permission way ability risk risky dangerous sense",
);
/** Auxiliaries whose subject acts: `does the job delete`. */
const AUXILIARIES = words(
  "do does did can could will would should shall may might must cannot cant wont doesnt didnt",
);
const LETS = words("lets gonna gotta wanna");
const URGES = new Set(["help me", "help us", "let us", "why not"]);
/** What stands before a verb that is handed to the reader: `can you`, `you must`. */
const HANDED = new Set([
  ...["dont you", "wont you"],
  ...[...MODALS].flatMap((modal) => [`${modal} you`, `you ${modal}`]),
]);
const IS = words("is are be");
/** Words of questions about a way or a consequence, and first words of questions and conditions. */
const WAYS = words("how happens happen");
const ASKING = words("if when what who");
/** What a question about a way of doing begins with. */
const HOW_FOLLOWERS = words("to do does did can could should would i we one often");

/**
 * Whether the verb at `at` asks for something to be done, where the same words may tell, ask or forbid.
 *
 * `delete all pods`, `can you delete ...` and `list them and then delete ...` ask for it; `how do I
 * delete ...`, `does the job delete ...`, `never delete ...` do not.
 */
export function isRequested(sentence: Sentence, at: number): boolean {
  const start = withoutFillers(sentence, at);
  const opens = sentence[start]?.opens ?? "no";
  if (opens === "fresh") return true;
  const connected = opens === "no" && CONNECTORS.has(sentence[start - 1]?.text ?? "");
  const end = connected ? start - 1 : start;
  const before = sentence.slice(lineStart(sentence, end), end).map(({ text }) => text);
  return connected || opens === "linked" ? !isGoverned(before) : isAsked(before);
}

/** Where the line of the word before `end` begins: a question on a line above governs nothing below. */
function lineStart(sentence: Sentence, end: number): number {
  let start = Math.max(0, end - 1);
  while (start > 0 && end - start < MAX_LOOK_BACK && sentence[start]?.line === false) start--;
  return start;
}

/** Where the clause of the word at `at` begins, or the first of the fillers before it. */
function withoutFillers(sentence: Sentence, at: number): number {
  let start = at;
  while (at - start < MAX_LOOK_BACK && sentence[start]?.opens === "no") {
    if (!FILLERS.has(sentence[start - 1]?.text ?? "")) return start;
    start--;
  }
  return start;
}

/** Whether a clause behind a comma or `and` still belongs to what somebody else does or asks about. */
function isGoverned(before: readonly string[]): boolean {
  return before.some((word, at) => {
    const next = before[at + 1] ?? "";
    if (word === "how") return HOW_FOLLOWERS.has(next);
    if (word === "happens" || word === "happen") return true;
    if (JUDGED.has(word)) return next === "to";
    if (!AUXILIARIES.has(word)) return false;
    return next !== "you" && before[at - 1] !== "you" && next !== "me";
  });
}

/** Whether `before` ends in what hands the following verb to the reader. */
function isAsked(before: readonly string[]): boolean {
  const [last = "", second = ""] = before.toReversed();
  const lead = `${second} ${last}`;
  if (LETS.has(last) || URGES.has(lead)) return true;
  if (before.some((word) => WAYS.has(word)) || ASKING.has(before[0] ?? "")) return false;
  return last === "to" ? isTask(before) : HANDED.has(lead);
}

/** Whether `before`, ending in `to`, hands over a task: `I want you to`, `your job is to`. */
function isTask(before: readonly string[]): boolean {
  const [, second = "", third = ""] = before.toReversed();
  const wanted = second === "you" || second === "us" ? third : second;
  if (WANTS.has(wanted)) return !isGoverned(before);
  return IS.has(second) && (before.includes("your") || before.includes("you"));
}
