import { type Event, isTerminal, type NewEvent } from "../../api/events.ts";
import type { SessionOwner } from "./known-sessions.ts";

/** 1 MiB of JSON in one request unless a single batch is longer: answers come while there is more to send. */
const MAX_REQUEST_CHARS = 1024 * 1024;

/** A batch of events on its way into the store. */
export interface Batch {
  readonly events: readonly NewEvent[];
  /** The events as JSON, comma-separated. */
  readonly text: string;
  /** `buffer`: the turn may go on before the batch is stored; `final`: it is kept until it is, however long. */
  readonly kind: "buffer" | "stored" | "final";
  readonly answer: PromiseWithResolvers<readonly Event[]>;
  /** Positions that were told before the store gave any. */
  told?: readonly Event[];
  /** Nobody waits for it any more, and nobody may find it stored: it is not sent again. */
  givenUp?: true;
}

/**
 * How far a writer may go on while events wait.
 *
 * What says that something was asked for, decided or begun has to be stored before anything follows from it
 * (decisions 18), and an id that must not come twice is judged by the store alone.
 */
export function kindOf(events: readonly NewEvent[]): Batch["kind"] {
  let kind: Batch["kind"] = "buffer";
  for (const { body } of events) {
    if (body.type === "status" && (isTerminal(body.state) || body.state === "input-required"))
      return "final";
    const waits =
      body.type === "tool-intent" ||
      body.type === "approval-decided" ||
      body.type === "approval-requested" ||
      (body.type === "message" && body.role === "user");
    if (waits) kind = "stored";
  }
  return kind;
}

/** The events of one session that wait, oldest first. */
export class OutboxQueue {
  readonly contextId: string;
  readonly owner: SessionOwner;
  readonly batches: Batch[] = [];
  /** Whether somebody is sending them. */
  running = false;
  /** How many of {@link batches} are in the request under way. */
  sending = 0;
  /** Batches to be sent one by one, because together they were refused. */
  single = 0;
  /** Position of the last event that the store told; `undefined` before the first. */
  lastSeq: number | undefined;

  constructor(contextId: string, owner: SessionOwner, lastSeq: number | undefined) {
    this.contextId = contextId;
    this.owner = owner;
    this.lastSeq = lastSeq;
  }

  /** Takes the batches of the next request. */
  take(): readonly Batch[] {
    let chars = 0;
    let count = 0;
    const most = this.single > 0 ? 1 : this.batches.length;
    for (const { text } of this.batches.slice(0, most)) {
      chars += text.length;
      if (count > 0 && chars > MAX_REQUEST_CHARS) break;
      count += 1;
    }
    this.sending = count;
    return this.batches.slice(0, count);
  }

  /** Tells writers that may go on the positions their events will have, if the last position is known. */
  tellPositions(): void {
    let seq = this.lastSeq;
    if (seq === undefined) return;
    for (const batch of this.batches) {
      const first = seq + 1;
      seq += batch.events.length;
      if (batch.kind !== "buffer" || batch.told !== undefined) continue;
      batch.told = batch.events.map((event, index) => ({ ...event, seq: first + index }));
      batch.answer.resolve(batch.told);
    }
  }
}
