import { createHash } from "node:crypto";
import { NODES } from "./nodes.ts";
import type { CrashRhythm, Fault, Workload } from "./workload.ts";
import { WORKLOADS } from "./workloads.ts";

/** A pod of the demo cluster and how it fares. */
export interface DemoPod {
  readonly workload: Workload;
  /** Position among the replicas, from 0. */
  readonly ordinal: number;
  readonly name: string;
  /** Node it runs on; absent while none has room. */
  readonly node?: string;
  /** Image tag it asks for. */
  readonly tag: string;
  /** Owner: name of the ReplicaSet or StatefulSet. */
  readonly owner: string;
  /** What is wrong with this pod; absent: it runs. */
  readonly fault?: Fault;
  /** Age when the demo began, in milliseconds. */
  readonly ageMs: number;
}

const LETTERS = "bcdfghjklmnpqrstvwxz2456789";

/** `length` letters that follow from `text`, in the alphabet of Kubernetes' random names. */
export function suffix(text: string, length: number): string {
  const bytes = createHash("sha256").update(text).digest().subarray(0, length);
  return [...bytes].map((byte) => LETTERS[byte % LETTERS.length] ?? "b").join("");
}

/** A UUID that follows from `text`. */
export function uid(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  const parts = [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `4${hex.slice(13, 16)}`,
    `a${hex.slice(17, 20)}`,
  ];
  return [...parts, hex.slice(20, 32)].join("-");
}

/** Name of the ReplicaSet of `workload` with the image `tag`. */
export function replicaSetName(workload: Workload, tag: string): string {
  return `${workload.name}-${suffix(`${workload.namespace}/${workload.name}:${tag}`, 9)}`;
}

function pod(workload: Workload, ordinal: number, tag: string, fault?: Fault): DemoPod {
  const stateful = workload.kind === "StatefulSet";
  const owner = stateful ? workload.name : replicaSetName(workload, tag);
  const name = stateful ? `${owner}-${ordinal}` : `${owner}-${suffix(`${owner}#${ordinal}`, 5)}`;
  const position = WORKLOADS.indexOf(workload) + ordinal;
  const node = NODES[position % NODES.length]?.name;
  const placed = fault?.kind !== "unschedulable" && node !== undefined;
  return {
    workload,
    ordinal,
    name,
    tag,
    owner,
    ageMs: fault === undefined ? workload.ageMs : faultAgeMs(fault, workload),
    ...(placed ? { node } : {}),
    ...(fault === undefined ? {} : { fault }),
  };
}

function faultAgeMs(fault: Fault, workload: Workload): number {
  switch (fault.kind) {
    case "bad-image":
    case "unschedulable":
      return fault.sinceMs;
    case "missing-setting":
      return fault.crash.before * fault.crash.periodMs + fault.crash.lastMs;
    case "out-of-memory":
      return workload.ageMs;
  }
}

function podsOf(workload: Workload): readonly DemoPod[] {
  const { fault, tag, replicas } = workload;
  if (fault?.kind === "bad-image")
    return [pod(workload, 0, tag), pod(workload, 1, fault.tag, fault)];
  const ordinals = Array.from({ length: replicas }, (_, ordinal) => ordinal);
  return ordinals.map((ordinal) => {
    const spared = fault?.kind === "out-of-memory" && ordinal > 0;
    return pod(workload, ordinal, tag, spared ? undefined : fault);
  });
}

/** Every pod of the demo cluster, in the order of the workloads. */
export const PODS: readonly DemoPod[] = WORKLOADS.flatMap(podsOf);

/** Restarts of a pod up to a moment. */
export interface Restarts {
  /** How many. */
  readonly count: number;
  /** Milliseconds since 1970 of the last crash; absent: none yet. */
  readonly last?: number;
}

/**
 * Restarts of `pod` at `now`, for a demo that began at `begin`: the crashes go on in their rhythm as long as the
 * demo runs.
 */
export function restartsAt(demoPod: DemoPod, now: number, begin: number): Restarts {
  const rhythm = crashRhythm(demoPod);
  if (rhythm === undefined) return { count: 0 };
  const shift = demoPod.ordinal * 41_000;
  const first = begin - rhythm.lastMs - shift - rhythm.before * rhythm.periodMs;
  const count = Math.floor((now - first) / rhythm.periodMs);
  return count <= 0 ? { count: 0 } : { count, last: first + count * rhythm.periodMs };
}

/** The rhythm in which `pod` crashes, if it does. */
function crashRhythm({ fault }: DemoPod): CrashRhythm | undefined {
  return fault?.kind === "missing-setting" || fault?.kind === "out-of-memory"
    ? fault.crash
    : undefined;
}
