import { canonicalJson } from "./json-read.ts";
import type { PlannedCall } from "./known-tool.ts";
import { OFFLINE_LABEL } from "./label.ts";
import { type Report, report } from "./report.ts";
import type { PastCall, Situation } from "./situation.ts";
import type { Skill } from "./skill.ts";
import { SKILLS } from "./skills.ts";
import { oneLine } from "./words.ts";

/** 12 calls per turn: below the platform's 15 (reference-platform.md section 1), so the answer always comes. */
const MAX_CALLS = 12;
/** 8 calls in one step. */
const MAX_STEP = 8;

/** What the model does next. */
export type Step = { readonly calls: readonly PlannedCall[] } | { readonly report: Report };

/** The next calls, or the answer when no call is left to make. Equal situations have equal steps. */
export function nextStep(situation: Situation): Step {
  const skill = bestSkill(situation);
  const calls = newCalls(situation, skill);
  return calls.length > 0 ? { calls } : { report: finalReport(situation, skill) };
}

/** The answer with what is known, whatever calls are left to make. */
export function answerNow(situation: Situation): Report {
  if (situation.past.length === 0 && situation.said !== "") return saidReport(situation.said);
  return finalReport(situation, bestSkill(situation));
}

/** An answer that no tool was needed for, once more. */
function saidReport(said: string): Report {
  const paragraphs = said
    .split(/\n\s*\n/)
    .filter((paragraph) => !paragraph.includes(OFFLINE_LABEL) && paragraph.trim() !== "");
  const [summary = "Nothing was looked up.", ...notes] = paragraphs;
  return report({ operation: "answer", summary, notes });
}

function bestSkill(situation: Situation): Skill {
  const [first, ...rest] = SKILLS;
  let best: Skill = first;
  let score = first.score(situation);
  for (const skill of rest) {
    const own = skill.score(situation);
    if (own > score) [best, score] = [skill, own];
  }
  return best;
}

function newCalls(situation: Situation, skill: Skill): readonly PlannedCall[] {
  const room = Math.min(MAX_STEP, MAX_CALLS - situation.past.length);
  const made = new Set(situation.past.map(keyOf));
  const describedNames = new Set(situation.tools.map(({ name }) => name));
  const calls: PlannedCall[] = [];
  for (const call of skill.plan(situation)) {
    if (call === undefined || calls.length >= room) continue;
    const key = keyOf(call);
    if (made.has(key) || !describedNames.has(call.name)) continue;
    made.add(key);
    calls.push(call);
  }
  return calls;
}

function keyOf({ name, args }: PlannedCall): string {
  return `${name} ${canonicalJson(args)}`;
}

/** 5 failed calls are told one by one. */
const MAX_FAILURES = 5;

function finalReport(situation: Situation, skill: Skill): Report {
  const own = skill.report(situation);
  const failures = situation.past.filter(({ failed }) => failed);
  const notes = [...own.notes, ...failureNotes(failures), ...remarkNotes(situation.past)];
  if (failures.length === 0) return { ...own, notes };
  const severity = own.severity === "info" ? "warning" : own.severity;
  return { ...own, notes, severity, incomplete: true };
}

function failureNotes(failures: readonly PastCall[]): readonly string[] {
  if (failures.length === 0) return [];
  const lines = failures
    .slice(0, MAX_FAILURES)
    .map(({ name, text }) => `- \`${name}\`: ${oneLine(text.replace(/^Error:\s*/i, ""), 300)}`);
  const more = failures.length - lines.length;
  return [`These calls failed:\n\n${lines.join("\n")}${more > 0 ? `\n- and ${more} more` : ""}`];
}

/** What tools say about their data, e.g. that it is a stand-in; each remark once. */
function remarkNotes(past: readonly PastCall[]): readonly string[] {
  const remarks = [...new Set(past.flatMap(({ remarks: own }) => own))].slice(0, 3);
  return remarks.map((remark) => `Data: ${oneLine(remark, 300)}`);
}
