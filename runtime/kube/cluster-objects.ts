import * as z from "zod";
import type { StoredObject } from "../api/cluster.ts";
import { type ApiResource, ClusterError } from "../api/cluster-reader.ts";

const StringMap = z.record(z.string(), z.string());

/** An object as the API server sends it: identity checked, everything else as it came. */
export const KubeObject = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().exactOptional(),
    creationTimestamp: z.string().exactOptional(),
    deletionTimestamp: z.string().exactOptional(),
    labels: StringMap.exactOptional(),
    annotations: StringMap.exactOptional(),
  }),
});
/** An object of a cluster. */
export type KubeObject = z.output<typeof KubeObject>;

/**
 * One page of a list; items lack `apiVersion` and `kind`, which the list says for all of them. `items` may be null,
 * never missing: an answer to something else must not read as "there are none".
 */
export const ObjectPage = z.object({
  metadata: z
    .object({ continue: z.string().nullish(), resourceVersion: z.string().nullish() })
    .nullish(),
  items: z.array(z.looseObject({})).nullable(),
});

/** One object by name. */
export interface ObjectName {
  /** Absent for cluster-wide kinds. */
  readonly namespace?: string;
  /** `metadata.name`. */
  readonly name: string;
}

/** Answer of `/version`, as far as it is read. */
export const VersionInfo = z.object({ gitVersion: z.string(), platform: z.string().default("") });

/** An object as the API server keeps it: version and uid are there. */
const Stored = KubeObject.refine(
  ({ metadata }) =>
    typeof metadata["uid"] === "string" && typeof metadata["resourceVersion"] === "string",
);

/** A kind as paths name it. */
type PathType = Pick<ApiResource, "group" | "version" | "plural">;

/** Path of all objects of a kind, in one namespace or (`undefined`) everywhere. */
export function collectionPath(
  { group, version, plural }: PathType,
  namespace: string | undefined,
): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const place = namespace === undefined ? "" : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${root}${place}/${plural}`;
}

/** Path of one object. */
export function objectPath(type: PathType, { namespace, name }: ObjectName): string {
  return `${collectionPath(type, namespace)}/${encodeURIComponent(name)}`;
}

/**
 * An item of a list with the kind that the list says for all.
 *
 * @throws ClusterError `invalid` when it is no object.
 */
export function identified(
  item: Readonly<Record<string, unknown>>,
  { group, version, kind, plural }: Pick<ApiResource, "group" | "version" | "kind" | "plural">,
): KubeObject {
  const apiVersion = group === "" ? version : `${group}/${version}`;
  const parsed = KubeObject.safeParse({ apiVersion, kind, ...item });
  if (parsed.success) return parsed.data;
  throw new ClusterError("invalid", `the API server's list of ${plural} cannot be read`);
}

/** @throws ClusterError `invalid` when uid or version is missing. */
export function storedObject(object: unknown): StoredObject {
  const parsed = Stored.safeParse(object);
  // refined above; the schema itself cannot say it of a loose object
  if (parsed.success) return parsed.data as StoredObject;
  throw new ClusterError("invalid", "the API server sent an object that cannot be read");
}

/** An object as it would be stored; a new one has no version yet: `""`. @throws As {@link storedObject}. */
export function triedObject(object: unknown): StoredObject {
  const parsed = KubeObject.safeParse(object);
  if (!parsed.success) return storedObject(object);
  const { metadata } = parsed.data;
  return storedObject({ ...parsed.data, metadata: { resourceVersion: "", ...metadata } });
}

/**
 * An answer as `schema` reads it.
 *
 * @param path - What was asked for, in the message.
 * @throws ClusterError `invalid` when it is something else.
 */
export function readAnswer<T>(text: string, schema: z.ZodType<T>, path: string): T {
  const parsed = schema.safeParse(parsedJson(text));
  if (parsed.success) return parsed.data;
  throw new ClusterError("invalid", `the API server's answer for ${path} cannot be read`);
}

/** @throws ClusterError `invalid` for anything but JSON. */
export function parsedJson(text: string): unknown {
  const parsed = attempt(text);
  // without a cause: the parser quotes the text, which may be a Secret
  if (parsed === undefined)
    throw new ClusterError("invalid", "the API server's answer is not JSON");
  return parsed.value;
}

function attempt(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}
