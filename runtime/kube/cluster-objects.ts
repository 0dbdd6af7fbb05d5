import * as z from "zod";

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
  metadata: z.object({ continue: z.string().nullish() }).nullish(),
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
