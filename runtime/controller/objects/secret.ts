import type { KubeObject, ObjectMetadata } from "../../api/cluster-reader.ts";
import { ANNOTATIONS } from "../../api/names.ts";
import { filesHash, kagentHash } from "./config-hash.ts";

type Texts = Readonly<Record<string, string>>;

/**
 * 900 KiB of keys and values in one Secret or ConfigMap: the API server takes 1 MiB of values, and etcd 1.5 MiB of the
 * whole object, in which values are a third longer.
 */
export const MAX_DATA_BYTES = 900 * 1024;

/** Bytes of keys and values. */
export function dataBytes(files: Texts): number {
  return Object.entries(files).reduce(
    (sum, [key, text]) => sum + Buffer.byteLength(key) + Buffer.byteLength(text),
    0,
  );
}

/** Secret with the files of one Agent; `data`, not `stringData`, which an API server does not give back. */
export function agentSecret(metadata: ObjectMetadata, files: Texts): KubeObject {
  return secret(metadata, files, filesHash(files));
}

/** Secret with files of many Agents. */
export function sharedSecret(metadata: ObjectMetadata, files: Texts): KubeObject {
  const sorted = Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1));
  return secret(metadata, Object.fromEntries(sorted), kagentHash(sorted.flat()));
}

function secret(metadata: ObjectMetadata, files: Texts, hash: string): KubeObject {
  const data = Object.entries(files).map(([key, text]) => [
    key,
    Buffer.from(text, "utf8").toString("base64"),
  ]);
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: {
      ...metadata,
      annotations: { ...metadata.annotations, [ANNOTATIONS.configHash]: hash },
    },
    type: "Opaque",
    data: Object.fromEntries(data) as Texts,
  };
}
