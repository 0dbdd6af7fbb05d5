import type { CompactionSettings } from "../../api/agent-config.ts";
import type { Event } from "../../api/events.ts";
import type { Unit } from "../conversation.ts";
import { compactions } from "./compacted.ts";

/** Events that make room. */
export interface CompactionPlan {
  readonly fromSeq: number;
  /** From here on a summary may take in what was compacted before: nothing of it is shown any more. */
  readonly sinceSeq: number;
  readonly toSeq: number;
}

/** What a compaction leaves. */
export interface Keeping {
  /** Newest events that stay; absent: as many units as have room in `tokens`. */
  readonly events: number | undefined;
  readonly tokens: number;
  readonly tokensOf: (unit: Unit) => number;
}

/**
 * What to compact when a prompt has grown too large: all before the question, then the steps since.
 *
 * The question stays, and the newest unit, which the model has not seen yet. A call is never separated from
 * its result, and one that waits for its result stays.
 *
 * @param units - What the prompt shows, oldest first.
 */
export function planForRoom(units: readonly Unit[], keeping: Keeping): readonly CompactionPlan[] {
  const question = units.findLastIndex(({ kind }) => kind === "user");
  const kept = keptFrom(units, keeping);
  const before = Math.min(kept, question < 0 ? units.length : question);
  const plans = [planned(units, 0, before)];
  if (question >= 0) plans.push(planned(units, question + 1, kept));
  return plans.filter((plan) => plan !== undefined);
}

/** How many units stay in front of those that may go. */
function keptFrom(units: readonly Unit[], { events, tokens, tokensOf }: Keeping): number {
  let first = units.length;
  let keptEvents = 0;
  let keptTokens = 0;
  for (const unit of units.toReversed()) {
    keptTokens += tokensOf(unit);
    const stays =
      first === units.length || (events === undefined ? keptTokens <= tokens : keptEvents < events);
    if (!stays) break;
    keptEvents += unit.events;
    first -= 1;
  }
  return first;
}

/**
 * The longest plan within `units[from]` to before `units[end]`: over no unit that is open, and cut where
 * nothing reaches over, neither at its beginning nor at its end.
 */
function planned(units: readonly Unit[], from: number, end: number): CompactionPlan | undefined {
  const cuts = cutsBefore(units);
  let best: { readonly first: number; readonly after: number } | undefined;
  let first: number | undefined;
  for (let index = Math.max(0, from); index <= end; index += 1) {
    if (cuts[index] === true) {
      if (first !== undefined && index - first > (best ? best.after - best.first : 0))
        best = { first, after: index };
      first ??= index;
    }
    if (units[index]?.open === true) first = undefined;
  }
  if (best === undefined) return undefined;
  const gone = units.slice(best.first, best.after);
  return {
    fromSeq: Math.min(...gone.map(({ fromSeq }) => fromSeq)),
    sinceSeq: (units[best.first - 1]?.toSeq ?? 0) + 1,
    toSeq: Math.max(...gone.map(({ toSeq }) => toSeq)),
  };
}

/** For each unit, and for the end, whether no unit before it reaches behind its beginning. */
function cutsBefore(units: readonly Unit[]): readonly boolean[] {
  let reach = 0;
  const cuts = units.map(({ fromSeq, toSeq }) => {
    const free = reach < fromSeq;
    reach = Math.max(reach, toSeq);
    return free;
  });
  return [...cuts, true];
}

/**
 * What to compact between turns: once `interval` turns came that no compaction has seen, all before the
 * question, from `overlap` turns earlier on.
 *
 * @param units - All of the session, whatever was compacted already.
 * @param mode - `drop`: nothing summarises; the newest `overlap` turns stay then.
 * @returns `undefined` when nothing is due.
 */
export function planBetweenTurns(
  events: readonly Event[],
  units: readonly Unit[],
  { interval, overlap, eventRetention }: CompactionSettings,
  mode: "summarise" | "drop",
): CompactionPlan | undefined {
  const question = units.findLastIndex(({ kind }) => kind === "user");
  const starts = units.flatMap(({ kind }, index) =>
    kind === "user" && index !== question ? [index] : [],
  );
  const seen = Math.max(0, ...compactions(events).map(({ toSeq }) => toSeq));
  const fresh = starts.findIndex((index) => (units[index]?.fromSeq ?? 0) > seen);
  if (fresh < 0 || starts.length - fresh < interval) return undefined;
  const keeping = { events: eventRetention ?? 0, tokens: 0, tokensOf: () => 0 };
  const end = Math.min(keptFrom(units, keeping), question);
  if (mode === "summarise") return planned(units, starts[Math.max(0, fresh - overlap)] ?? 0, end);
  const stays = overlap === 0 ? question : (starts[Math.max(fresh, starts.length - overlap)] ?? 0);
  return planned(units, starts[fresh] ?? 0, Math.min(end, stays));
}
