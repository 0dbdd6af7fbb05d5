import type { KubeObject } from "../../api/cluster-reader.ts";
import { listAt, recordAt, textAt, valueAt, without } from "../json-value.ts";

/** 2 KiB of JSON: a spec up to this size is kept whole. */
const SMALL_SPEC_BYTES = 2048;

/**
 * What matters of `object` in a list: its identity and owners, the essentials of its spec, its whole status and
 * the names of its data.
 */
export function compactObject(object: KubeObject): Record<string, unknown> {
  const { apiVersion, kind, metadata } = object;
  return present({
    apiVersion,
    kind,
    metadata: compactMetadata(metadata),
    spec: compactSpec(object),
    status: valueAt(object, "status"),
    type: valueAt(object, "type"),
    reason: valueAt(object, "reason"),
    message: valueAt(object, "message"),
    involvedObject: valueAt(object, "involvedObject"),
    lastTimestamp: valueAt(object, "lastTimestamp"),
    count: valueAt(object, "count"),
    dataKeys: keys(recordAt(object, "data")),
  });
}

function compactMetadata(metadata: KubeObject["metadata"]): Record<string, unknown> {
  const owners = listAt(metadata, "ownerReferences").map((owner) => ({
    kind: textAt(owner, "kind"),
    name: textAt(owner, "name"),
  }));
  return present({
    name: metadata.name,
    namespace: metadata.namespace,
    labels: metadata.labels,
    ownerReferences: owners.length === 0 ? undefined : owners,
    creationTimestamp: metadata.creationTimestamp,
    deletionTimestamp: metadata.deletionTimestamp,
  });
}

function compactSpec(object: KubeObject): unknown {
  const spec = valueAt(object, "spec");
  if (spec === undefined) return undefined;
  if (listAt(spec, "containers").length > 0) return podSpec(spec);
  if (valueAt(spec, "template", "spec") !== undefined) {
    const rest = without(recordAt(spec), "template");
    return {
      ...scalars(rest),
      selector: rest["selector"],
      template: podSpec(valueAt(spec, "template", "spec")),
    };
  }
  if (Buffer.byteLength(JSON.stringify(spec)) <= SMALL_SPEC_BYTES) return spec;
  return { ...scalars(recordAt(spec)), otherFields: keys(recordAt(spec)) };
}

function podSpec(spec: unknown): Record<string, unknown> {
  return present({
    nodeName: valueAt(spec, "nodeName"),
    restartPolicy: valueAt(spec, "restartPolicy"),
    priorityClassName: valueAt(spec, "priorityClassName"),
    nodeSelector: valueAt(spec, "nodeSelector"),
    initContainers: containers(listAt(spec, "initContainers")),
    containers: containers(listAt(spec, "containers")),
  });
}

function containers(list: readonly unknown[]): readonly unknown[] | undefined {
  if (list.length === 0) return undefined;
  return list.map((each) =>
    present({
      name: valueAt(each, "name"),
      image: valueAt(each, "image"),
      resources: valueAt(each, "resources"),
      env: keys(
        Object.fromEntries(listAt(each, "env").map((variable) => [textAt(variable, "name"), true])),
      ),
    }),
  );
}

function scalars(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(record).filter(([, value]) => typeof value !== "object"),
  );
}

function keys(record: Readonly<Record<string, unknown>>): readonly string[] | undefined {
  const found = Object.keys(record);
  return found.length === 0 ? undefined : found;
}

function present(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined));
}
