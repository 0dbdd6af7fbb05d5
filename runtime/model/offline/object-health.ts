import { type JsonObject, listAt, numberAt, textAt, valueAt } from "./json-read.ts";
import { podState } from "./pod-trouble.ts";

/** An object of a cluster as a row. */
export interface ObjectState {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** What it is and does, e.g. `2/3 ready`. */
  readonly state: string;
  /** Why it needs attention; empty when it is well. */
  readonly trouble: string;
  readonly suspended: boolean;
}

const GOOD = new Set(["Ready", "Available", "Healthy", "Established", "Accepted"]);
const BAD = /^(?:Failed|Stalled|ReplicaFailure|\w+Pressure|NetworkUnavailable)$/;

/** State of any object: built-in kinds by their counts, every other by its conditions. */
export function objectState(object: JsonObject): ObjectState {
  const kind = textAt(object, "kind");
  const [state, trouble] = stateOf(kind, object);
  return {
    kind,
    namespace: textAt(object, "metadata", "namespace"),
    name: textAt(object, "metadata", "name"),
    state,
    trouble,
    suspended: valueAt(object, "spec", "suspend") === true,
  };
}

type State = readonly [state: string, trouble: string];

const BY_KIND: Readonly<Record<string, (object: JsonObject) => State>> = {
  Pod: podHealth,
  Deployment: (object) =>
    counted(object, numberAt(object, "spec", "replicas") ?? 1, "readyReplicas"),
  StatefulSet: (object) =>
    counted(object, numberAt(object, "spec", "replicas") ?? 1, "readyReplicas"),
  ReplicaSet: (object) =>
    counted(object, numberAt(object, "spec", "replicas") ?? 1, "readyReplicas"),
  DaemonSet: (object) =>
    counted(object, numberAt(object, "status", "desiredNumberScheduled") ?? 0, "numberReady"),
  Service: (object) => [serviceState(object), ""],
  PersistentVolumeClaim: phaseOf,
  PersistentVolume: phaseOf,
  Namespace: phaseOf,
  Ingress: (object) => [
    listAt(object, "spec", "rules")
      .map((rule) => textAt(rule, "host") || "*")
      .join(", "),
    "",
  ],
  CronJob: (object) => [textAt(object, "spec", "schedule"), ""],
  Job: jobState,
};

function stateOf(kind: string, object: JsonObject): State {
  const own = Object.hasOwn(BY_KIND, kind) ? BY_KIND[kind] : undefined;
  return (own ?? byConditions)(object);
}

function podHealth(object: JsonObject): State {
  const { trouble } = podState(object);
  if (trouble === undefined) return [textAt(object, "status", "phase"), ""];
  return [trouble.reason, trouble.message || trouble.reason];
}

function counted(object: JsonObject, wanted: number, field: string): State {
  const ready = numberAt(object, "status", field) ?? 0;
  if (ready >= wanted) return [`${ready}/${wanted} ready`, ""];
  const [, told] = byConditions(object);
  return [`${ready}/${wanted} ready`, told === "" ? "replicas are missing" : told];
}

function serviceState(object: JsonObject): string {
  const ports = listAt(object, "spec", "ports").map(
    (port) => `${textAt(port, "port")}/${textAt(port, "protocol") || "TCP"}`,
  );
  return [textAt(object, "spec", "type") || "ClusterIP", ...ports].join(" ");
}

function phaseOf(object: JsonObject): State {
  const phase = textAt(object, "status", "phase");
  return [
    phase,
    ["", "Bound", "Available", "Active"].includes(phase) ? "" : `its phase is ${phase}`,
  ];
}

function jobState(object: JsonObject): State {
  const failed = numberAt(object, "status", "failed") ?? 0;
  const [, told] = byConditions(object);
  const done = `${numberAt(object, "status", "succeeded") ?? 0}/${numberAt(object, "spec", "completions") ?? 1} done`;
  return [failed === 0 ? done : `${done}, ${failed} failed`, told];
}

function byConditions(object: JsonObject): State {
  const conditions = listAt(object, "status", "conditions");
  const bad = conditions.find((condition) => {
    const type = textAt(condition, "type");
    const status = textAt(condition, "status");
    return (
      (GOOD.has(type) && (status === "False" || status === "Unknown")) ||
      (BAD.test(type) && status === "True")
    );
  });
  if (bad !== undefined) {
    const said = [textAt(bad, "reason") || textAt(bad, "type"), textAt(bad, "message")];
    return [
      `not ${textAt(bad, "type")}`.replace(/^not (?=Failed|Stalled|.*Pressure)/, ""),
      said.filter((text) => text !== "").join(": "),
    ];
  }
  const good = conditions.find((condition) => GOOD.has(textAt(condition, "type")));
  return [good === undefined ? textAt(object, "status", "phase") : textAt(good, "type"), ""];
}

/** Message of the condition that says an object is ready, e.g. `Applied revision: main@sha1:4d0e`; may be empty. */
export function readyMessage(object: JsonObject): string {
  const condition = listAt(object, "status", "conditions").find(
    (each) => textAt(each, "type") === "Ready",
  );
  return textAt(condition, "message");
}

/** States in the rows of a table, for tools that print no JSON. */
export function stateInRow(
  kind: string,
  row: Readonly<Record<string, string>>,
  namespace: string,
): ObjectState {
  const cell = (column: string) => (row[column] === "-" ? "" : (row[column] ?? ""));
  const ready = cell("READY");
  const [have, want] = ready.split("/");
  const short = want !== undefined && have !== want;
  const status = cell("STATUS");
  const unready = ready === "False" || ready === "Unknown" || /^NotReady/.test(status);
  const trouble = cell("REASON") || (short || unready ? status || `${ready} ready` : "");
  return {
    kind,
    namespace: cell("NAMESPACE") || namespace,
    name: cell("NAME"),
    state: status || ready,
    trouble,
    suspended: /^suspended/i.test(status),
  };
}
