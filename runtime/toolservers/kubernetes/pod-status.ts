import type { KubeObject } from "../../api/cluster-reader.ts";
import { clip } from "../bounded-text.ts";
import { durationText } from "../duration-text.ts";
import { listAt, numberAt, textAt, valueAt } from "../json-value.ts";

/** A pod in the words of `kubectl get pods`, plus why it is not well. */
export interface PodStatus {
  /** Ready containers and containers, e.g. `1/2`. */
  readonly ready: string;
  /** E.g. `Running`, `CrashLoopBackOff`, `Init:0/1`, `Terminating`. */
  readonly status: string;
  /** Restarts of all containers. */
  readonly restarts: number;
  /** Milliseconds since 1970 of the last restart, when known. */
  readonly lastRestart?: number;
  /** Whether nothing needs attention. */
  readonly healthy: boolean;
  /** Why it is not healthy; empty when it is. */
  readonly reason: string;
}

/** One hour: a container that failed within it still needs attention, although it runs again. */
const RECENT_MS = 60 * 60 * 1000;

/** Status of `pod` at `now` (milliseconds since 1970). */
export function podStatus(pod: KubeObject, now: number): PodStatus {
  const containers = listAt(pod, "status", "containerStatuses");
  const total = Math.max(containers.length, listAt(pod, "spec", "containers").length);
  const readyCount = containers.filter((each) => valueAt(each, "ready") === true).length;
  const status = statusWord(pod, containers);
  const restarts = sum(containers.map((each) => numberAt(each, "restartCount") ?? 0));
  const ends = containers.map(lastEnd).filter((end) => end !== undefined);
  const lastRestart = ends.length === 0 ? undefined : Math.max(...ends.map(({ at }) => at));
  const finished = status === "Completed" || status === "Succeeded";
  const recent = ends.filter(({ at, reason }) => now - at < RECENT_MS && reason !== "Completed");
  const healthy = finished || (status === "Running" && readyCount === total && recent.length === 0);
  return {
    ready: `${readyCount}/${total}`,
    status,
    restarts,
    ...(lastRestart === undefined ? {} : { lastRestart }),
    healthy,
    reason: healthy ? "" : reasons(pod, containers, now).join("; "),
  };
}

function statusWord(pod: KubeObject, containers: readonly unknown[]): string {
  if (pod.metadata.deletionTimestamp !== undefined) return "Terminating";
  const init = initWord(pod);
  if (init !== undefined) return init;
  const words = containers.map(containerWord).filter((word) => word !== undefined);
  const phase = textAt(pod, "status", "reason") || textAt(pod, "status", "phase") || "Unknown";
  const failing = words.find((word) => word !== "Completed");
  if (failing !== undefined) return failing;
  const running = containers.some((each) => valueAt(each, "state", "running") !== undefined);
  if (words.length > 0 && !running) return "Completed";
  return phase;
}

/** `Init:1/2` or `Init:Error` while init containers are not through. */
function initWord(pod: KubeObject): string | undefined {
  const statuses = listAt(pod, "status", "initContainerStatuses").filter(
    (each) => !isSidecar(pod, textAt(each, "name")),
  );
  const open = statuses.find((each) => numberAt(each, "state", "terminated", "exitCode") !== 0);
  if (open === undefined) return undefined;
  const word = containerWord(open);
  if (word !== undefined && word !== "PodInitializing") return `Init:${word}`;
  const done = statuses.indexOf(open);
  return `Init:${done}/${statuses.length}`;
}

/** Init containers with restartPolicy Always run beside the others and never end. */
function isSidecar(pod: KubeObject, name: string): boolean {
  return listAt(pod, "spec", "initContainers").some(
    (each) => textAt(each, "name") === name && textAt(each, "restartPolicy") === "Always",
  );
}

/** Why a container does not run, or `undefined` while it does. */
function containerWord(status: unknown): string | undefined {
  const waiting = textAt(status, "state", "waiting", "reason");
  if (waiting !== "") return waiting;
  if (valueAt(status, "state", "terminated") === undefined) return undefined;
  const reason = textAt(status, "state", "terminated", "reason");
  if (reason !== "") return reason;
  return `ExitCode:${numberAt(status, "state", "terminated", "exitCode") ?? "?"}`;
}

/** How a container's last run ended. */
interface ContainerEnd {
  /** Milliseconds since 1970; 0 when the server does not say. */
  readonly at: number;
  /** E.g. `OOMKilled`, `Error`. */
  readonly reason: string;
  /** E.g. 137. */
  readonly exitCode: number | undefined;
  /** Last words of the container, on one line; empty when it left none. */
  readonly message: string;
}

/** 300 characters of a container's last words. */
const MAX_WORDS = 300;

/** End of the run before the current one, or of the only run when it is over. */
function lastEnd(status: unknown): ContainerEnd | undefined {
  const key = valueAt(status, "lastState", "terminated") === undefined ? "state" : "lastState";
  const terminated = valueAt(status, key, "terminated");
  if (terminated === undefined) return undefined;
  const at = Date.parse(textAt(terminated, "finishedAt"));
  const exitCode = numberAt(terminated, "exitCode");
  const reason = textAt(terminated, "reason") || (exitCode === 0 ? "Completed" : "Error");
  const message = clip(textAt(terminated, "message").replace(/\s+/g, " ").trim(), MAX_WORDS);
  return { at: Number.isNaN(at) ? 0 : at, reason, exitCode, message };
}

function reasons(pod: KubeObject, containers: readonly unknown[], now: number): readonly string[] {
  const init = listAt(pod, "status", "initContainerStatuses");
  const found = [...init, ...containers].flatMap((status) => containerReasons(status, now));
  const pending = textAt(conditionOf(pod, "PodScheduled"), "message");
  if (pending !== "") found.push(pending);
  const message = textAt(pod, "status", "message");
  if (message !== "") found.push(message);
  if (found.length === 0) found.push(textAt(conditionOf(pod, "Ready"), "message"));
  return found.filter((reason) => reason !== "");
}

/** How the last run ended comes first: it tells more than that the next one waits. */
function containerReasons(status: unknown, now: number): string[] {
  const found: string[] = [];
  const name = textAt(status, "name");
  const end = lastEnd(status);
  if (end !== undefined && end.reason !== "Completed") {
    const ago = end.at === 0 ? "" : ` ${durationText(now - end.at)} ago`;
    const words = end.message === "" ? "" : `: ${end.message}`;
    found.push(`${name}: ${end.reason} (exit code ${end.exitCode ?? "?"})${ago}${words}`);
  }
  const waiting = textAt(status, "state", "waiting", "message");
  // "... pod=NAME_NAMESPACE(UID)" repeats what the reader knows
  if (waiting !== "") found.push(`${name}: ${waiting.replace(/ pod=\S+/, "")}`);
  return found;
}

/** Condition of `type` in `object`'s status, or `undefined`. */
export function conditionOf(object: KubeObject, type: string): unknown {
  return listAt(object, "status", "conditions").find((each) => textAt(each, "type") === type);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
