import type { KubeObject } from "../../api/cluster-reader.ts";
import { listAt, numberAt, textAt, valueAt, wordAt } from "../json-value.ts";
import { pairs } from "./columns.ts";
import {
  agoText,
  conditionLines,
  containerLines,
  fieldLines,
  identityLines,
} from "./describe-parts.ts";
import { podStatus } from "./pod-status.ts";

/** What there is to say about a pod, its events apart: status and reason, every container with its last end. */
export function describePod(pod: KubeObject, now: number): readonly string[] {
  const { status, ready, restarts, reason } = podStatus(pod, now);
  return [
    ...identityLines(pod, now),
    ...fieldLines([
      ["Status", status],
      ["Reason", reason],
      ["Ready", `${ready} containers`],
      ["Restarts", String(restarts)],
      ["Node", textAt(pod, "spec", "nodeName") || "<not scheduled>"],
      ["IP", textAt(pod, "status", "podIP")],
      ["Service Account", textAt(pod, "spec", "serviceAccountName")],
      ["QoS Class", textAt(pod, "status", "qosClass")],
      ["Node Selectors", pairs(selector(pod))],
      ["Volumes", volumesText(pod)],
    ]),
    ...containersLines(pod, "Init Containers", "initContainers", "initContainerStatuses", now),
    ...containersLines(pod, "Containers", "containers", "containerStatuses", now),
    ...conditionLines(pod, now),
  ];
}

function selector(pod: KubeObject): Readonly<Record<string, unknown>> {
  const found = valueAt(pod, "spec", "nodeSelector");
  return typeof found === "object" && found !== null ? (found as Record<string, unknown>) : {};
}

function containersLines(
  pod: KubeObject,
  title: string,
  specs: string,
  statuses: string,
  now: number,
): readonly string[] {
  const containers = listAt(pod, "spec", specs);
  if (containers.length === 0) return [];
  const known = listAt(pod, "status", statuses);
  const lines = containers.flatMap((container) => {
    const name = textAt(container, "name");
    const status = known.find((each) => textAt(each, "name") === name);
    return [`  ${name}:`, ...stateLines(status, now), ...containerLines(container)];
  });
  return [`${title}:`, ...lines];
}

function stateLines(status: unknown, now: number): readonly string[] {
  if (status === undefined) return [];
  return fieldLines(
    [
      ["State", stateText(valueAt(status, "state"), now)],
      ["Last State", stateText(valueAt(status, "lastState"), now)],
      ["Ready", wordAt(status, "ready")],
      ["Restart Count", wordAt(status, "restartCount")],
    ],
    4,
  );
}

function stateText(state: unknown, now: number): string {
  const running = textAt(state, "running", "startedAt");
  if (running !== "") return `Running since ${agoText(running, now)}`;
  const waiting = valueAt(state, "waiting");
  if (waiting !== undefined)
    return joined(["Waiting", textAt(waiting, "reason"), textAt(waiting, "message")]);
  const ended = valueAt(state, "terminated");
  if (ended === undefined) return "";
  return joined([
    "Terminated",
    textAt(ended, "reason"),
    `exit code ${numberAt(ended, "exitCode") ?? "?"}`,
    agoText(textAt(ended, "finishedAt"), now),
    textAt(ended, "message"),
  ]);
}

function joined(words: readonly string[]): string {
  return words.filter((word) => word !== "").join(", ");
}

function volumesText(pod: KubeObject): string {
  return listAt(pod, "spec", "volumes")
    .map((volume) => {
      const source = volumeSource(volume);
      return `${textAt(volume, "name")} (${source})`;
    })
    .join(", ");
}

function volumeSource(volume: unknown): string {
  const named = [
    ["configmap", textAt(volume, "configMap", "name")],
    ["secret", textAt(volume, "secret", "secretName")],
    ["pvc", textAt(volume, "persistentVolumeClaim", "claimName")],
  ].find(([, name]) => name !== "");
  if (named !== undefined) return named.join("/");
  const keys = typeof volume === "object" && volume !== null ? Object.keys(volume) : [];
  return keys.find((key) => key !== "name") ?? "unknown";
}
