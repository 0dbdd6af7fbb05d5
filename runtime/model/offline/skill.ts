import type { PlannedCall } from "./known-tool.ts";
import type { Report } from "./report.ts";
import type { Situation } from "./situation.ts";

/**
 * One kind of question the offline model can work on.
 *
 * All three are functions of the situation alone, so a turn can be taken up again at any step.
 */
export interface Skill {
  /** For people. */
  readonly name: string;
  /** How well it fits the question and the tools; 0: not at all. */
  score(situation: Situation): number;
  /** Every call it wants, given the answers so far, most important first; those that were made are skipped. */
  plan(situation: Situation): readonly (PlannedCall | undefined)[];
  /** The answer, made from the answers of tools alone. */
  report(situation: Situation): Report;
}
