import * as z from "zod";
import type { ObjectKey, StoredObject } from "../api/cluster.ts";
import type { KubeObject } from "../api/cluster-reader.ts";

/** Who holds a lease, as far as election reads it; everything may be missing, as in a lease made by hand. */
const LeaseSpec = z.looseObject({
  holderIdentity: z.string().nullish(),
  leaseDurationSeconds: z.number().nullish(),
  leaseTransitions: z.number().nullish(),
  acquireTime: z.string().nullish(),
  renewTime: z.string().nullish(),
});
/** Content of a Lease. */
export type LeaseSpec = z.output<typeof LeaseSpec>;

/** What a lease says; an unreadable one says nothing, so anybody may take it. */
export function leaseSpec(lease: StoredObject): LeaseSpec {
  return LeaseSpec.safeParse(lease["spec"]).data ?? {};
}

/** A Lease as it is created. */
export function newLease(key: ObjectKey, spec: LeaseSpec): KubeObject {
  return { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { ...key }, spec };
}

/** @param ms - Milliseconds since 1970-01-01 UTC. @returns A MicroTime: the API server takes six digits only. */
export function microTime(ms: number): string {
  return new Date(ms).toISOString().replace("Z", "000Z");
}
