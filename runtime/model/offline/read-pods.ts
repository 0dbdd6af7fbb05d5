import { textAt } from "./json-read.ts";
import { type PodState, type PodTrouble, podState, podStatesOf } from "./pod-trouble.ts";
import { readObjects } from "./read-list.ts";
import { readTable } from "./read-table.ts";
import { worst } from "./report.ts";
import { answersOf, type PastCall, type Situation } from "./situation.ts";
import { mentioned, unmet } from "./subject.ts";
import { nameWords } from "./words.ts";

/** A pod that fails. */
export type FailingPod = PodState & { readonly trouble: PodTrouble };

/** What lists of pods say. */
export interface SeenPods {
  /** Pods the question is about. */
  readonly pods: readonly PodState[];
  /** How many of them there are, shown or not. */
  readonly total: number;
  /** Those that fail, worst first. */
  readonly failing: readonly FailingPod[];
  /** Whether pods that fail, or that the question is about, may be missing. */
  readonly missing: boolean;
  /** Names in the question that no pod and no namespace bears. */
  readonly unmet: readonly string[];
}

/** The pods that the tools listed in this turn, `undefined` before they did. */
export function readPods(situation: Situation): SeenPods | undefined {
  const lists = answersOf(situation, "k8s_get_resources")
    .filter(({ args, failed }) => textAt(args, "resource_type") === "pods" && !failed)
    .map(podsIn)
    .filter((list) => list !== undefined);
  const [list, second] = lists;
  if (list === undefined) return undefined;
  const known = new Set(list.states.map(podKey));
  const all = [...list.states, ...(second?.states ?? []).filter((pod) => !known.has(podKey(pod)))];
  const pods = mentioned(situation.question, all);
  return {
    pods,
    total: pods.length === all.length ? Math.max(list.total, all.length) : pods.length,
    failing: pods.filter((pod): pod is FailingPod => pod.trouble !== undefined).sort(byWeight),
    missing: (second ?? list).missing || (second === undefined && isAboutUnseen(situation, list)),
    unmet: unmet(
      situation.question,
      all,
      situation.tools.map(({ cluster }) => cluster),
    ),
  };
}

/** `namespace/name`. */
export function podKey({ namespace, name }: PodState): string {
  return `${namespace}/${name}`;
}

/** Whether the question names something, and not one of the pods that were shown fits. */
function isAboutUnseen({ question }: Situation, { states, total }: PodList): boolean {
  if (states.length >= total || nameWords(question).length === 0) return false;
  return mentioned(question, states).length === states.length;
}

interface PodList {
  readonly states: readonly PodState[];
  readonly total: number;
  readonly missing: boolean;
}

function podsIn({ text, args }: PastCall): PodList | undefined {
  const list = readObjects(text);
  if (list !== undefined) {
    const { objects, total, unhealthy, incomplete } = list;
    const states = objects.map(podState).map((state, index) =>
      // The tool knows how long ago the last restart was, which a status alone does not say.
      unhealthy !== undefined && index >= unhealthy && isOver(state) ? well(state) : state,
    );
    const missing = unhealthy === undefined ? incomplete : unhealthy > objects.length;
    return { states, total, missing };
  }
  const table = readTable(text);
  if (table === undefined) return undefined;
  const states = podStatesOf(table, textAt(args, "namespace"));
  return { states, total: states.length, missing: table.incomplete };
}

function isOver({ trouble }: PodState): boolean {
  return trouble?.reason === "Restarting" || trouble?.reason === "OOMKilled";
}

function well(state: PodState): PodState {
  return { ...state, trouble: undefined };
}

function byWeight(a: FailingPod, b: FailingPod): number {
  if (a.trouble.severity !== b.trouble.severity)
    return a.trouble.severity === worst([a.trouble.severity, b.trouble.severity]) ? -1 : 1;
  return b.restarts - a.restarts || (podKey(a) < podKey(b) ? -1 : 1);
}
