import type { TurnUpdate } from "../api/events.ts";

/**
 * What an approver learns of somebody else's turn: that the decision was taken or was void, and the states.
 *
 * Leaving the iteration early leaves `updates` too.
 */
export async function* foreignUpdates(
  updates: AsyncIterable<TurnUpdate>,
): AsyncGenerator<TurnUpdate, void, undefined> {
  for await (const update of updates) {
    const shown = shownToApprover(update);
    if (shown !== undefined) yield shown;
  }
}

function shownToApprover(update: TurnUpdate): TurnUpdate | undefined {
  if (update.kind !== "event") return undefined;
  const { body } = update.event;
  if (body.type === "approval-decided") return update;
  if (body.type === "error" && body.error.code === "INVALID_INPUT") return update;
  if (body.type !== "status") return undefined;
  // An error of the turn may quote what the owner asked.
  return {
    kind: "event",
    event: { ...update.event, body: { type: "status", state: body.state } },
  };
}
