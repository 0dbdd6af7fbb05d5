import type { Event, EventOf, Part, PendingCall } from "./events.ts";

/** Who decided when nobody did in time. */
export const EXPIRY_APPROVER = "system:expiry";
/** `decision_type` by which the platform says that a request has expired; void from anybody else. */
const EXPIRE = "expire";

/** A request for decisions that is open, and where it stands in the log. */
export type OpenRequest = Pick<Event, "id" | "seq"> & {
  readonly body: EventOf<"approval-requested">;
};

/** The request of a task that nobody has decided on; `undefined` when there is none. */
export function openRequest(events: readonly Event[], taskId: string): OpenRequest | undefined {
  const last = events.findLast(
    (event) =>
      event.taskId === taskId &&
      (event.body.type === "approval-requested" || event.body.type === "approval-decided"),
  );
  if (last?.body.type !== "approval-requested") return undefined;
  return { id: last.id, seq: last.seq, body: last.body };
}

/** Whether a request can be approved no more at `nowMs` (milliseconds since 1970). */
export function isExpired(
  { expiresAt }: Pick<EventOf<"approval-requested">, "expiresAt">,
  nowMs: number,
): boolean {
  return expiresAt !== undefined && nowMs >= Date.parse(expiresAt);
}

/**
 * When a request for `pending` expires (RFC 3339): `timeoutMs` from `nowMs`, earlier when an agent that one of the calls
 * belongs to waits no longer than that.
 */
export function expiryOf(
  pending: readonly PendingCall[],
  timeoutMs: number,
  nowMs: number,
): string {
  const ends = pending.flatMap(({ expiresAt }) =>
    expiresAt === undefined ? [] : [Date.parse(expiresAt)],
  );
  return new Date(Math.min(nowMs + timeoutMs, ...ends.filter(Number.isFinite))).toISOString();
}

/** Whether somebody decides by `parts`, well or badly: such a message is never a question to a model. */
export function isDecision(parts: readonly Part[]): boolean {
  return parts.some((part) => "data" in part && typeOf(part.data) !== undefined);
}

/** Whether `parts` say that a request has expired. */
export function isExpire(parts: readonly Part[]): boolean {
  const [part, ...more] = parts;
  return (
    part !== undefined && more.length === 0 && "data" in part && typeOf(part.data)?.value === EXPIRE
  );
}

/** What says that a request has expired. */
export function expireParts(): readonly Part[] {
  return [{ data: { decision_type: EXPIRE } }];
}

function typeOf(data: unknown): { readonly value: unknown } | undefined {
  if (typeof data !== "object" || data === null || !Object.hasOwn(data, "decision_type"))
    return undefined;
  return { value: (data as { readonly decision_type: unknown }).decision_type };
}
