import type { Severity } from "../../api/envelope.ts";
import { type JsonObject, listAt, numberAt, textAt, valueAt } from "./json-read.ts";
import type { TextTable } from "./read-table.ts";

/** A pod with what its status says. */
export interface PodState {
  readonly namespace: string;
  readonly name: string;
  /** Workload it belongs to, e.g. a ReplicaSet; the pod itself without one. */
  readonly owner: string;
  readonly node: string;
  /** Restarts of all containers. */
  readonly restarts: number;
  /** What is wrong; `undefined` for a pod that is well. */
  readonly trouble: PodTrouble | undefined;
}

/** What is wrong with a pod. */
export interface PodTrouble {
  /** E.g. `CrashLoopBackOff`, `OOMKilled`, `Unschedulable`, `NotReady`. */
  readonly reason: string;
  /** Container it is about; empty for the pod as a whole. */
  readonly container: string;
  /** What the cluster says about it; may be empty. */
  readonly message: string;
  readonly exitCode: number | undefined;
  /** Memory limit of the container, as written; empty without one. */
  readonly memoryLimit: string;
  readonly image: string;
  readonly severity: Severity;
}

/** A container that restarted and runs again is worth a word from its third restart on (the first is none). */
const NOTABLE_RESTARTS = 3;

const STARTING = new Set(["ContainerCreating", "PodInitializing"]);

/** State of a pod as the API server describes it. */
export function podState(pod: JsonObject): PodState {
  const statuses = [
    ...listAt(pod, "status", "initContainerStatuses"),
    ...listAt(pod, "status", "containerStatuses"),
  ];
  const name = textAt(pod, "metadata", "name");
  return {
    namespace: textAt(pod, "metadata", "namespace"),
    name,
    owner: textAt(pod, "metadata", "ownerReferences", 0, "name") || name,
    node: textAt(pod, "spec", "nodeName"),
    restarts: statuses.reduce<number>(
      (sum, each) => sum + (numberAt(each, "restartCount") ?? 0),
      0,
    ),
    trouble: troubleOf(pod, statuses),
  };
}

function troubleOf(pod: JsonObject, statuses: readonly unknown[]): PodTrouble | undefined {
  const phase = textAt(pod, "status", "phase");
  if (phase === "Succeeded") return undefined;
  const ofContainers = statuses
    .map((status) => containerTrouble(pod, status))
    .filter((trouble) => trouble !== undefined);
  const failing = ofContainers.find(({ reason }) => !STARTING.has(reason));
  if (failing !== undefined) return failing;
  if (textAt(pod, "metadata", "deletionTimestamp") !== "") return undefined;
  return podTrouble(pod, phase) ?? ofContainers[0] ?? restarted(pod, statuses);
}

function containerTrouble(pod: JsonObject, status: unknown): PodTrouble | undefined {
  const waiting = textAt(status, "state", "waiting", "reason");
  const ended = valueAt(status, "state", "terminated");
  const last = valueAt(status, "lastState", "terminated");
  const end = ended ?? last;
  const base = {
    ...containerFacts(pod, textAt(status, "name")),
    exitCode: numberAt(end, "exitCode"),
    message: textAt(status, "state", "waiting", "message") || textAt(end, "message"),
  };
  if (waiting !== "") {
    const killed = textAt(last, "reason") === "OOMKilled";
    const reason = killed ? "OOMKilled" : waiting;
    return { ...base, reason, severity: severityOf(reason) };
  }
  if (ended === undefined || numberAt(ended, "exitCode") === 0) return undefined;
  const reason = textAt(ended, "reason") || "Error";
  return { ...base, reason, severity: severityOf(reason) };
}

function podTrouble(pod: JsonObject, phase: string): PodTrouble | undefined {
  const base = { container: "", exitCode: undefined, memoryLimit: "", image: "" };
  const unscheduled = conditionOf(pod, "PodScheduled");
  if (textAt(unscheduled, "status") === "False") {
    const reason = textAt(unscheduled, "reason") || "Unschedulable";
    return {
      ...base,
      reason,
      message: textAt(unscheduled, "message"),
      severity: severityOf(reason),
    };
  }
  const reason = textAt(pod, "status", "reason");
  const message = textAt(pod, "status", "message");
  if (phase === "Failed" || phase === "Unknown")
    return { ...base, reason: reason || phase, message, severity: "error" };
  const ready = conditionOf(pod, "Ready");
  if (phase === "Running" && textAt(ready, "status") === "False")
    return { ...notReadyContainer(pod), message: textAt(ready, "message"), exitCode: undefined };
  return undefined;
}

function notReadyContainer(pod: JsonObject): Omit<PodTrouble, "message" | "exitCode"> {
  const status = listAt(pod, "status", "containerStatuses").find(
    (each) => valueAt(each, "ready") === false,
  );
  return {
    ...containerFacts(pod, textAt(status, "name")),
    reason: "NotReady",
    severity: "warning",
  };
}

/** A container that runs again after failing. */
function restarted(pod: JsonObject, statuses: readonly unknown[]): PodTrouble | undefined {
  for (const status of statuses) {
    const last = valueAt(status, "lastState", "terminated");
    const killed = textAt(last, "reason") === "OOMKilled";
    const often = (numberAt(status, "restartCount") ?? 0) >= NOTABLE_RESTARTS;
    if (last === undefined || textAt(last, "reason") === "Completed" || !(killed || often))
      continue;
    return {
      ...containerFacts(pod, textAt(status, "name")),
      reason: killed ? "OOMKilled" : "Restarting",
      message: textAt(last, "message"),
      exitCode: numberAt(last, "exitCode"),
      severity: killed ? "critical" : "warning",
    };
  }
  return undefined;
}

function containerFacts(pod: JsonObject, container: string) {
  const spec = [
    ...listAt(pod, "spec", "initContainers"),
    ...listAt(pod, "spec", "containers"),
  ].find((each) => textAt(each, "name") === container);
  return {
    container,
    memoryLimit: textAt(spec, "resources", "limits", "memory"),
    image: textAt(spec, "image"),
  };
}

function conditionOf(pod: JsonObject, type: string): unknown {
  return listAt(pod, "status", "conditions").find((each) => textAt(each, "type") === type);
}

function severityOf(reason: string): Severity {
  if (reason === "OOMKilled") return "critical";
  return STARTING.has(reason) ? "info" : "error";
}

/** Words of kubectl's STATUS column for pods that are well. */
const WELL = new Set(["Running", "Completed", "Succeeded", "Terminating"]);

/** States of pods from a table, for tools that print no JSON. */
export function podStatesOf({ rows }: TextTable, namespace: string): readonly PodState[] {
  return rows.map((row) => {
    const name = row["NAME"] ?? "";
    return {
      namespace: row["NAMESPACE"] ?? namespace,
      name,
      owner: name.replace(/(-[a-f0-9]{6,10})?-[a-z0-9]{5}$/, ""),
      node: row["NODE"] ?? "",
      restarts: Number.parseInt(row["RESTARTS"] ?? "", 10) || 0,
      trouble: troubleInRow(row),
    };
  });
}

function troubleInRow(row: Readonly<Record<string, string>>): PodTrouble | undefined {
  const status = row["STATUS"] ?? "";
  const said = row["REASON"] ?? "";
  const message = said === "-" ? "" : said;
  const [ready, total] = (row["READY"] ?? "").split("/");
  const base = { container: "", message, memoryLimit: "", image: "", exitCode: undefined };
  if (status === "Running" && ready !== total)
    return { ...base, reason: "NotReady", severity: "warning" };
  if (WELL.has(status) || status === "") return undefined;
  const reason = message.includes("OOMKilled") ? "OOMKilled" : status.replace(/^Init:/, "");
  return { ...base, reason, severity: severityOf(reason) };
}
