import type { KubeObject } from "../../api/cluster-reader.ts";
import { listAt, numberAt, textAt } from "../json-value.ts";
import { conditionOf, podStatus } from "./pod-status.ts";

/** Whether an object needs attention, and why. */
export interface Health {
  /** Nothing needs attention. */
  readonly healthy: boolean;
  /** Why not; empty when healthy. */
  readonly reason: string;
}

const WELL: Health = { healthy: true, reason: "" };

/** Condition types that ought to be `True`, the most telling first. */
const GOOD = ["Ready", "Available", "Healthy", "Established"];
/** Condition types that ought not to be `True`. */
const BAD = [
  "Failed",
  "Stalled",
  "ReplicaFailure",
  "MemoryPressure",
  "DiskPressure",
  "PIDPressure",
  "NetworkUnavailable",
];

type HealthRule = (object: KubeObject, now: number) => Health;

const BY_REPLICAS: HealthRule = (object) =>
  replicas(object, numberAt(object, "spec", "replicas") ?? 1, "readyReplicas");

const BY_KIND: Readonly<Record<string, HealthRule>> = {
  Pod: podStatus,
  Deployment: (object, now) => {
    const counted = BY_REPLICAS(object, now);
    const progress = conditionOf(object, "Progressing");
    // old replicas may still serve while the new ones never come up
    return counted.healthy && textAt(progress, "status") === "False"
      ? unwell(said(progress))
      : counted;
  },
  StatefulSet: BY_REPLICAS,
  ReplicaSet: BY_REPLICAS,
  DaemonSet: (object) =>
    replicas(object, numberAt(object, "status", "desiredNumberScheduled") ?? 0, "numberReady"),
  PersistentVolumeClaim: (object) => phase(object, ["Bound"]),
  PersistentVolume: (object) => phase(object, ["Bound", "Available"]),
  Namespace: (object) => phase(object, ["Active"]),
  Event: (object) =>
    textAt(object, "type") === "Warning" ? unwell(textAt(object, "message")) : WELL,
};

/** Health of any object at `now`: built-in kinds by their counts, every other kind by its conditions. */
export function healthOf(object: KubeObject, now: number): Health {
  const rule = Object.hasOwn(BY_KIND, object.kind) ? BY_KIND[object.kind] : undefined;
  return rule === undefined ? conditions(object) : rule(object, now);
}

function replicas(object: KubeObject, desired: number, field: string): Health {
  const ready = numberAt(object, "status", field) ?? 0;
  if (ready >= desired) return WELL;
  const told = conditions(object).reason;
  return unwell(`${ready} of ${desired} ready${told === "" ? "" : `; ${told}`}`);
}

function phase(object: KubeObject, good: readonly string[]): Health {
  const found = textAt(object, "status", "phase");
  return found === "" || good.includes(found) ? WELL : unwell(`phase is ${found}`);
}

function conditions(object: KubeObject): Health {
  for (const type of GOOD) {
    const condition = conditionOf(object, type);
    const status = textAt(condition, "status");
    if (status === "False" || status === "Unknown") return unwell(said(condition));
  }
  const bad = listAt(object, "status", "conditions").find(
    (each) => BAD.includes(textAt(each, "type")) && textAt(each, "status") === "True",
  );
  return bad === undefined ? WELL : unwell(said(bad));
}

function said(condition: unknown): string {
  const reason = textAt(condition, "reason");
  const message = textAt(condition, "message");
  const what = reason === "" ? textAt(condition, "type") : reason;
  return message === "" ? what : `${what}: ${message}`;
}

function unwell(reason: string): Health {
  return { healthy: false, reason };
}
