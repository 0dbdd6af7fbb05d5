import * as z from "zod";
import { DEFAULT_NAMESPACE } from "../names.ts";
import { type Agent, type KagentObject, objectKey, parseObject } from "../objects.ts";
import { approvals } from "./approvals.ts";
import { cycles } from "./cycles.ts";
import { type Finding, reporter } from "./finding.ts";
import { instructions } from "./instructions.ts";
import { modelBudget } from "./model-budget.ts";
import { type ObjectSet, objectSet } from "./object-set.ts";
import { readOnlyTools } from "./read-only-tools.ts";
import { type ReferenceOptions, references } from "./references.ts";
import type { LintedSource } from "./report.ts";
import { routing } from "./routing.ts";
import { toolLimits } from "./tool-limits.ts";
import { toolNames } from "./tool-names.ts";
import { workload } from "./workload.ts";

/** Figures of the rules; every one has a default. */
export interface LintOptions extends ReferenceOptions {
  /** Namespace of objects that name none; `kagent`. */
  readonly namespace?: string;
  /** Most tools of one agent; 18. */
  readonly maxTools?: number;
  /** Names of agents that may write; git-agent. */
  readonly writers?: readonly string[];
  /** Tools that no agent may have, without target; merging and deleting repositories. */
  readonly forbiddenTools?: readonly string[];
  /** Clusters that exist; any. */
  readonly clusters?: readonly string[];
}

/** Objects of one place. */
export interface LintSource {
  /** File or stack, for people. */
  readonly source: string;
  readonly objects: readonly unknown[];
}

/**
 * Everything that is wrong or doubtful about a set of objects: schemas first, then every rule.
 *
 * References are looked for within the set. The same objects in the same order give the same findings,
 * object by object in the order given. Linear in the size of the set; never throws.
 */
export function lintObjects(
  objects: readonly unknown[],
  options: LintOptions = {},
): readonly Finding[] {
  return lintAll(objects, options).map(({ finding }) => finding);
}

/** The same for objects from several places that are one set: each place gets its own findings. */
export function lintSources(
  sources: readonly LintSource[],
  options: LintOptions = {},
): readonly LintedSource[] {
  const owner = sources.flatMap(({ objects }, at) => objects.map(() => at));
  const located = lintAll(
    sources.flatMap(({ objects }) => objects),
    options,
  );
  const bySource = Map.groupBy(located, ({ index }) => owner[index] ?? 0);
  return sources.map(({ source, objects }, at) => ({
    source,
    objects: objects.length,
    findings: (bySource.get(at) ?? []).map(({ finding }) => finding),
  }));
}

interface Located {
  /** Position of the object among all. */
  readonly index: number;
  readonly finding: Finding;
}

function lintAll(objects: readonly unknown[], options: LintOptions): readonly Located[] {
  const namespace = options.namespace ?? DEFAULT_NAMESPACE;
  const read = readObjects(objects, namespace);
  const set = objectSet(read.sound.values(), namespace, read.broken);
  const found = [
    ...[...set.agents.values()].flatMap((agent) => lintAgent(agent, set, options)),
    ...cycles(set),
  ].map((finding) => ({ index: read.order.get(finding.object) ?? 0, finding }));
  return [...read.findings, ...found].toSorted((a, b) => a.index - b.index);
}

/** What every rule about a single agent says of it within `set`. */
function lintAgent(agent: Agent, set: ObjectSet, options: LintOptions = {}): readonly Finding[] {
  return [
    ...instructions(agent, set),
    ...workload(agent, set),
    ...references(agent, set, options),
    ...toolLimits(agent, set, options.maxTools),
    ...toolNames(agent, set, options.clusters),
    ...readOnlyTools(agent, set, options.writers),
    ...approvals(agent, set, options.forbiddenTools),
    ...routing(agent, set),
    ...modelBudget(agent, set),
  ];
}

interface ReadObjects {
  /** By key, in order. */
  readonly sound: ReadonlyMap<string, KagentObject>;
  /** Keys of those that break their schema. */
  readonly broken: ReadonlySet<string>;
  readonly findings: readonly Located[];
  /** Position of each key. */
  readonly order: ReadonlyMap<string, number>;
}

function readObjects(objects: readonly unknown[], namespace: string): ReadObjects {
  const sound = new Map<string, KagentObject>();
  const broken = new Set<string>();
  const findings: Located[] = [];
  const order = new Map<string, number>();
  for (const [index, input] of objects.entries()) {
    const key = keyOf(input, namespace) ?? `objects[${index}]`;
    const { error } = reporter("schema", key);
    const add = (path: string, message: string) =>
      findings.push({ index, finding: error(path, message) });
    if (order.has(key)) {
      add("metadata.name", "is there twice: an earlier object has the same name");
      continue;
    }
    order.set(key, index);
    const parsed = parseObject(input);
    if (parsed.ok) sound.set(key, parsed.value);
    else {
      broken.add(key);
      for (const { path, message } of parsed.violations) add(path, message);
    }
  }
  return { sound, broken, findings, order };
}

const Identity = z.looseObject({
  kind: z.string().min(1),
  metadata: z.looseObject({
    name: z.string().min(1),
    namespace: z.string().min(1).optional().catch(undefined),
  }),
});

/** Key of whatever has a kind and a name, sound or not. */
function keyOf(input: unknown, namespace: string): string | undefined {
  const { data } = Identity.safeParse(input);
  if (data === undefined) return undefined;
  const { kind, metadata } = data;
  return objectKey({ kind, metadata } as Pick<KagentObject, "kind" | "metadata">, namespace);
}
