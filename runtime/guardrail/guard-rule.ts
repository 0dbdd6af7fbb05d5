/** What a rule looks for. */
type GuardFamily = "credentials" | "injection";

/** One pattern with what it must and must not match. */
export interface GuardRule {
  /** Unique; shown instead of what matched. */
  readonly id: string;
  readonly family: GuardFamily;
  /**
   * Matches text that {@link normalise} has folded: lower case, so the pattern is too. No flags beside `g`, no
   * look-around, no back-reference (decisions 25). The first group, if there is one, is what is masked.
   */
  readonly pattern: RegExp;
  /** `random`: a match counts only if what is masked looks made by chance, not like a word. */
  readonly value?: "random";
  readonly example: string;
  readonly counterExample: string;
}
