import type { Event, EventOf } from "../../api/events.ts";

/** A compaction with the position it was stored at. */
export interface StoredCompaction extends EventOf<"compaction"> {
  readonly seq: number;
}

/** Whether the event of a position is covered by a compaction, so that no prompt shows it any more. */
export function isCompacted(events: readonly Event[]): (seq: number) => boolean {
  const ranges = compactions(events);
  return (seq) => ranges.some(({ fromSeq, toSeq }) => fromSeq <= seq && seq <= toSeq);
}

/** All compactions of a session, as they were stored. */
export function compactions(events: readonly Event[]): readonly StoredCompaction[] {
  return events.flatMap(({ body, seq }) => (body.type === "compaction" ? [{ ...body, seq }] : []));
}

/**
 * The compactions that still speak, in the order of what they cover: one that lies within a later one has
 * become part of that one's summary.
 */
export function speakingCompactions(events: readonly Event[]): readonly StoredCompaction[] {
  const all = compactions(events);
  const within = (a: StoredCompaction, b: StoredCompaction): boolean =>
    b.seq > a.seq && b.fromSeq <= a.fromSeq && a.toSeq <= b.toSeq;
  return all
    .filter((each) => !all.some((other) => within(each, other)))
    .toSorted((a, b) => a.fromSeq - b.fromSeq || a.seq - b.seq);
}
