import type { KubeObject } from "../../api/cluster-reader.ts";
import { clip } from "../bounded-text.ts";
import { ageText } from "../duration-text.ts";
import { listAt, numberAt, recordAt, textAt, valueAt, wordAt } from "../json-value.ts";
import { pairs } from "./columns.ts";

/** `Label:` and text, aligned; entries with empty text are dropped. */
export function fieldLines(
  fields: readonly (readonly [label: string, text: string])[],
  indent = 0,
): readonly string[] {
  const shown = fields.filter(([, text]) => text !== "");
  const width = Math.max(0, ...shown.map(([label]) => label.length)) + 3;
  return shown.map(([label, text]) => `${" ".repeat(indent)}${`${label}:`.padEnd(width)}${text}`);
}

/** 300 characters of an annotation: notes stay whole, embedded documents do not. */
const MAX_ANNOTATION = 300;

/** Name, namespace, labels, annotations, owner and age: what every description begins with. */
export function identityLines(object: KubeObject, now: number): readonly string[] {
  const { metadata } = object;
  const annotations = Object.entries(metadata.annotations ?? {}).map(
    ([key, value]) => `${key}=${clip(value.replace(/\s+/g, " "), MAX_ANNOTATION)}`,
  );
  const owners = listAt(metadata, "ownerReferences").map(
    (owner) => `${textAt(owner, "kind")}/${textAt(owner, "name")}`,
  );
  return fieldLines([
    ["Name", metadata.name],
    ["Namespace", metadata.namespace ?? ""],
    ["Kind", `${object.kind} (${object.apiVersion})`],
    ["Created", agoText(metadata.creationTimestamp ?? "", now)],
    ["Deleted", agoText(metadata.deletionTimestamp ?? "", now)],
    ["Labels", pairs(metadata.labels ?? {})],
    ["Annotations", annotations.join("\n             ")],
    ["Controlled By", owners.join(", ")],
  ]);
}

/** `2026-01-01T00:00:00Z (3d ago)`; empty without a timestamp. */
export function agoText(timestamp: string, now: number): string {
  return timestamp === "" ? "" : `${timestamp} (${ageText(timestamp, now)} ago)`;
}

/** `Conditions:` and one line each, with reason and message. */
export function conditionLines(object: KubeObject, now: number): readonly string[] {
  const all = listAt(object, "status", "conditions");
  if (all.length === 0) return [];
  const lines = all.map((each) => {
    const since = textAt(each, "lastTransitionTime");
    const age = since === "" ? "" : ` since ${ageText(since, now)}`;
    const why = [textAt(each, "reason"), textAt(each, "message")].filter((text) => text !== "");
    const said = why.length === 0 ? "" : `: ${why.join(": ")}`;
    return `  ${textAt(each, "type")}=${textAt(each, "status")}${age}${said}`;
  });
  return ["Conditions:", ...lines];
}

/** A container of a pod or of a pod template, without its state. */
export function containerLines(container: unknown): readonly string[] {
  const command = [...listAt(container, "command"), ...listAt(container, "args")];
  return fieldLines(
    [
      ["Image", textAt(container, "image")],
      ["Ports", portsText(container)],
      [
        "Command",
        clip(command.filter((each) => typeof each === "string").join(" "), MAX_ANNOTATION),
      ],
      ["Requests", pairs(recordAt(container, "resources", "requests"))],
      ["Limits", pairs(recordAt(container, "resources", "limits"))],
      ["Liveness", probeText(valueAt(container, "livenessProbe"))],
      ["Readiness", probeText(valueAt(container, "readinessProbe"))],
      ["Startup", probeText(valueAt(container, "startupProbe"))],
      ["Environment", environmentText(container)],
      ["Mounts", mountsText(container)],
    ],
    4,
  );
}

function portsText(container: unknown): string {
  return listAt(container, "ports")
    .map((port) => `${wordAt(port, "containerPort")}/${textAt(port, "protocol") || "TCP"}`)
    .join(", ");
}

function probeText(probe: unknown): string {
  if (probe === undefined) return "";
  const path = textAt(probe, "httpGet", "path");
  const http = path === "" ? "" : `http-get :${wordAt(probe, "httpGet", "port")}${path}`;
  const tcp =
    valueAt(probe, "tcpSocket") === undefined ? "" : `tcp :${wordAt(probe, "tcpSocket", "port")}`;
  const exec = listAt(probe, "exec", "command").join(" ");
  const period = numberAt(probe, "periodSeconds") ?? 10;
  const failures = numberAt(probe, "failureThreshold") ?? 3;
  const what = http || tcp || (exec === "" ? "grpc" : `exec ${exec}`);
  return `${what} every ${period}s, fails after ${failures}`;
}

function environmentText(container: unknown): string {
  const sources = listAt(container, "envFrom").map((source) => {
    const map = textAt(source, "configMapRef", "name");
    return map === ""
      ? `all of secret/${textAt(source, "secretRef", "name")}`
      : `all of configmap/${map}`;
  });
  const variables = listAt(container, "env").map((variable) => {
    const name = textAt(variable, "name");
    return `${name}=${textAt(variable, "value") || sourceText(valueAt(variable, "valueFrom"))}`;
  });
  return [...sources, ...variables].join(", ");
}

function sourceText(source: unknown): string {
  for (const [kind, path] of [
    ["configmap", "configMapKeyRef"],
    ["secret", "secretKeyRef"],
  ] as const) {
    const name = textAt(source, path, "name");
    if (name !== "") return `<key ${textAt(source, path, "key")} of ${kind}/${name}>`;
  }
  return textAt(source, "fieldRef", "fieldPath") || textAt(source, "resourceFieldRef", "resource");
}

function mountsText(container: unknown): string {
  return listAt(container, "volumeMounts")
    .map((mount) => `${textAt(mount, "mountPath")} from ${textAt(mount, "name")}`)
    .join(", ");
}
