import { setImmediate as otherWork } from "node:timers/promises";
import type { ClusterReader, KubeObject, ObjectMetadata } from "../../api/cluster-reader.ts";
import { recordAt, without } from "../json-value.ts";
import { REDACTED, redactText, redactValue } from "../redact.ts";

/** 100 objects take some 20 ms; then others get their turn. */
const BREATHER = 100;

/** Annotations that repeat the whole object, credentials included. */
const COPIES = [
  "kubectl.kubernetes.io/last-applied-configuration",
  "objectset.rio.cattle.io/applied",
  "banzaicloud.com/last-applied",
];

/**
 * A copy of `object` that may be shown: Secret values blanked with their size, credentials in environment
 * variables, arguments, ConfigMaps and custom resources blanked, `managedFields` and copies in annotations gone.
 */
export function redactObject(object: KubeObject): KubeObject {
  const isSecret = object.kind === "Secret";
  const fields = Object.entries(object).map(([key, value]): [string, unknown] => {
    if (key === "metadata") return [key, shownMetadata(object.metadata)];
    if (isSecret && (key === "data" || key === "stringData")) return [key, sizes(object, key)];
    return [key, redactValue(value)];
  });
  // the three typed fields are copied like the rest: redaction keeps the shape
  return Object.fromEntries(fields) as unknown as KubeObject;
}

/** The same cluster with every object {@link redactObject redacted}; what reads through it cannot leak. */
export function redactingReader(reader: ClusterReader): ClusterReader {
  return {
    name: reader.name,
    ...(reader.label === undefined ? {} : { label: reader.label }),
    resources: (signal) => reader.resources(signal),
    async list(resource, query, signal) {
      const { items, more } = await reader.list(resource, query, signal);
      const shown: KubeObject[] = [];
      for (const item of items) {
        shown.push(redactObject(item));
        if (shown.length % BREATHER === 0) await otherWork(undefined, { signal });
      }
      return { items: shown, more };
    },
    get: async (resource, ref, signal) => redactObject(await reader.get(resource, ref, signal)),
    logs: async (query, signal) => redactText(await reader.logs(query, signal)),
    identity: (signal) => reader.identity(signal),
  };
}

function shownMetadata(metadata: ObjectMetadata): Record<string, unknown> {
  const { annotations } = metadata;
  const kept = Object.entries(annotations ?? {}).filter(([key]) => !COPIES.includes(key));
  return {
    ...without(metadata, "managedFields", "annotations"),
    ...(kept.length === 0 ? {} : { annotations: redactValue(Object.fromEntries(kept)) }),
  };
}

function sizes(object: KubeObject, field: "data" | "stringData"): Record<string, string> {
  const entries = Object.entries(recordAt(object, field)).map(([key, value]): [string, string] => {
    const text = typeof value === "string" ? value : "";
    const bytes = field === "data" ? Buffer.from(text, "base64").length : Buffer.byteLength(text);
    return [key, `${REDACTED.slice(0, -1)}, ${bytes} bytes>`];
  });
  return Object.fromEntries(entries);
}
