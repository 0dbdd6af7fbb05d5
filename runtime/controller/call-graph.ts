import type { Violation } from "../api/checked.ts";
import type { Agent } from "../api/objects.ts";
import { calledAgents } from "../api/rules/called-agents.ts";
import { components } from "../api/rules/components.ts";
import { cycles } from "../api/rules/cycles.ts";
import { type ObjectSet, objectSet, refOf } from "../api/rules/object-set.ts";
import { ReferenceIndex } from "./reference-index.ts";

/**
 * Who calls whom among the Agents of a platform, and what is wrong with it: circles and chains that are too deep.
 *
 * A change is judged within the Agents that it can concern: those that reach the changed one, and what they call.
 */
export class CallGraph {
  readonly #agents: ReadonlyMap<string, Agent>;
  readonly #namespace: string;
  readonly #calls = new ReferenceIndex();
  /** Agents that were there at their last {@link update}. */
  readonly #known = new Set<string>();
  readonly #violations = new Map<string, Violation>();
  /** Changed since the last {@link settle}. */
  readonly #changed = new Set<string>();

  /** @param agents - By `namespace/name`; the owner's own map, read when asked. */
  constructor(agents: ReadonlyMap<string, Agent>, namespace: string) {
    this.#agents = agents;
    this.#namespace = namespace;
  }

  /** Takes note that an Agent came, went or changed; the same calls as before cost nothing more. */
  update(key: string): void {
    const next = this.#callsOf(key);
    const before = this.#calls.targetsOf(key);
    const isNew = this.#agents.has(key) !== this.#known.has(key);
    if (!isNew && before.length === next.size && before.every((call) => next.has(call))) return;
    this.#calls.set(key, next);
    if (this.#agents.has(key)) this.#known.add(key);
    else this.#known.delete(key);
    this.#changed.add(key);
  }

  /** Judges everything anew, whoever came and went. */
  updateAll(): void {
    for (const key of [...this.#agents.keys(), ...this.#known]) this.update(key);
    this.settle();
  }

  /** Judges what changed. @returns Agents about which something else is to be said than before. */
  settle(): readonly string[] {
    if (this.#changed.size === 0) return [];
    const concerned = reach([...this.#changed], (key) => this.#calls.usersOf(key));
    this.#changed.clear();
    const around = reach([...concerned], (key) => this.#calls.targetsOf(key));
    const found = this.#judge(around);
    const differing = [...concerned].filter(
      (key) =>
        this.#agents.has(key) && this.#violations.get(key)?.message !== found.get(key)?.message,
    );
    for (const key of concerned) {
      const violation = found.get(key);
      if (violation === undefined) this.#violations.delete(key);
      else this.#violations.set(key, violation);
    }
    return differing;
  }

  /** What is wrong with the calls of an Agent, as of the last {@link settle}. */
  violation(key: string): Violation | undefined {
    return this.#violations.get(key);
  }

  #callsOf(key: string): ReadonlySet<string> {
    const agent = this.#agents.get(key);
    if (agent === undefined) return new Set();
    const { namespace } = refOf(agent, this.#namespace);
    return new Set(calledAgents(agent, namespace).map((call) => call.key));
  }

  /** Every member of a circle, and everybody above a chain that is too deep, gets the words about it. */
  #judge(keys: ReadonlySet<string>): ReadonlyMap<string, Violation> {
    // Sorted: the same words on every replica, whatever came first there.
    const agents = [...keys].sort().flatMap((key) => this.#agents.get(key) ?? []);
    const set = objectSet(agents, this.#namespace);
    const findings = cycles(set);
    if (findings.length === 0) return new Map();
    const groupOf = this.#groups(set);
    const violations = new Map<string, Violation>();
    for (const { object, path, message } of findings) {
      const key = object.slice("Agent/".length);
      const group = groupOf.get(key) ?? [key];
      const isCircle = group.length > 1 || this.#calls.targetsOf(key).includes(key);
      const members = isCircle ? group : [...reach([key], (at) => this.#calls.usersOf(at))];
      for (const member of members)
        if (!violations.has(member)) violations.set(member, { path, message });
    }
    return violations;
  }

  #groups(set: ObjectSet): ReadonlyMap<string, readonly string[]> {
    const groups = components([...set.agents.keys()], (key) =>
      this.#calls.targetsOf(key).filter((called) => set.agents.has(called)),
    );
    return new Map(groups.flatMap((group) => group.map((member) => [member, group] as const)));
  }
}

/** `from` and everything that `next` leads to from there. */
function reach(
  from: readonly string[],
  next: (key: string) => readonly string[],
): ReadonlySet<string> {
  const found = new Set(from);
  for (const key of found) for (const neighbour of next(key)) found.add(neighbour);
  return found;
}
