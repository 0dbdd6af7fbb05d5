import type { TurnError } from "../api/events.ts";

/** Why a turn cannot go on, in words that callers may read. */
export class TurnFailure extends Error {
  override readonly name = "TurnFailure";
  /** What the turn's status says. */
  readonly code: TurnError["code"];

  constructor(code: TurnError["code"], message: string) {
    super(message);
    this.code = code;
  }
}
