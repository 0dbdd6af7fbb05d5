import { objectKey } from "../objects.ts";
import { type AgentCall, calledAgents } from "./called-agents.ts";
import { components } from "./components.ts";
import { type Finding, reporter } from "./finding.ts";
import { type ObjectSet, refOf } from "./object-set.ts";

/** 10 calls from one agent to the next: deeper chains are refused as by kagent (kagent-api section 2.5). */
export const MAX_CALL_DEPTH = 10;

type Calls = ReadonlyMap<string, readonly AgentCall[]>;

/**
 * Agents that reach themselves through their tools and hand-offs, and chains of calls that are too deep.
 *
 * Each group of agents that reach one another is reported once, at the first of them by name, with a
 * shortest way round in call order. O(agents + calls), without recursion. Calls of agents that are not
 * in the set are none of this rule's business.
 */
export function cycles(set: ObjectSet): readonly Finding[] {
  const calls: Calls = new Map(
    [...set.agents].map(([key, agent]) => [
      key,
      calledAgents(agent, refOf(agent, set.namespace).namespace).filter((call) =>
        set.agents.has(call.key),
      ),
    ]),
  );
  const groups = components(
    [...calls.keys()],
    (key) => calls.get(key)?.map((call) => call.key) ?? [],
  );
  const circular = groups.filter((group) => isCircular(group, calls));
  return [
    ...circular.map((group) => circleFinding(set, group, calls)),
    ...depthFindings(set, groups, new Set(circular.flat()), calls),
  ];
}

function isCircular(group: readonly string[], calls: Calls): boolean {
  const [first = ""] = group;
  return group.length > 1 || (calls.get(first)?.some(({ key }) => key === first) ?? false);
}

function circleFinding(set: ObjectSet, group: readonly string[], calls: Calls): Finding {
  const start = group.reduce((least, key) => (key < least ? key : least));
  const circle = shortestCircle(start, new Set(group), calls);
  const path = circle[0]?.path ?? "spec.declarative.tools";
  const names = [start, ...circle.map(({ key }) => key)];
  const { error } = reporter("cycles", keyOf(set, start));
  return error(path, `agents call each other in a circle: ${names.join(" -> ")}`);
}

/** Calls that lead from `start` back to it, as few as possible; breadth first within its group. */
function shortestCircle(
  start: string,
  group: ReadonlySet<string>,
  calls: Calls,
): readonly AgentCall[] {
  const cameBy = new Map<string, { readonly from: string; readonly call: AgentCall }>();
  const queue = [start];
  for (const from of queue) {
    for (const call of calls.get(from) ?? []) {
      if (!group.has(call.key) || cameBy.has(call.key)) continue;
      cameBy.set(call.key, { from, call });
      if (call.key !== start) queue.push(call.key);
    }
    if (cameBy.has(start)) break;
  }
  const circle: AgentCall[] = [];
  let at = start;
  do {
    const step = cameBy.get(at);
    if (step === undefined) break;
    circle.push(step.call);
    at = step.from;
  } while (at !== start);
  return circle.reverse();
}

interface Depth {
  /** Calls in the longest chain. */
  readonly depth: number;
  /** The first of them. */
  readonly next: AgentCall | undefined;
}

/** Agents from which the longest chain of calls is just too long; those above them are so too. */
function depthFindings(
  set: ObjectSet,
  groups: readonly (readonly string[])[],
  circular: ReadonlySet<string>,
  calls: Calls,
): readonly Finding[] {
  const depths = new Map<string, Depth>();
  // Groups come callees first, so what an agent calls has its depth already.
  for (const key of groups.flat())
    if (!circular.has(key)) depths.set(key, deepest(calls.get(key) ?? [], depths));
  return [...depths].flatMap(([key, { depth, next }]) => {
    if (depth !== MAX_CALL_DEPTH + 1) return [];
    const chain = [key];
    for (let step = next; step !== undefined; step = depths.get(step.key)?.next)
      chain.push(step.key);
    const message = `calls go ${depth} agents deep, at most ${MAX_CALL_DEPTH}: ${chain.join(" -> ")}`;
    const { error } = reporter("cycles", keyOf(set, key));
    return [error(next?.path ?? "spec.declarative.tools", message)];
  });
}

function deepest(calls: readonly AgentCall[], depths: ReadonlyMap<string, Depth>): Depth {
  return calls.reduce<Depth>(
    (best, next) => {
      const depth = (depths.get(next.key)?.depth ?? 0) + 1;
      return depth > best.depth ? { depth, next } : best;
    },
    { depth: 0, next: undefined },
  );
}

function keyOf(set: ObjectSet, agent: string): string {
  const object = set.agents.get(agent);
  return object === undefined ? `Agent/${agent}` : objectKey(object, set.namespace);
}
