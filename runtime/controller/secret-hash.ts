import { createHash } from "node:crypto";
import { type ObjectRef, refKey } from "../api/names.ts";

/** A Secret that takes part in a hash. */
export interface HashedSecret {
  readonly ref: ObjectRef;
  /** Values in base64, as the API server has them. */
  readonly data: Readonly<Record<string, string>>;
}

/**
 * kagent's hash over Secrets: hex sha256 over the Secrets sorted by `namespace/name`, of each that string, then
 * each key and value, keys sorted. A Secret that is named twice counts once; none at all has a hash too.
 *
 * @see kagent-api section 1.2
 */
export function secretHash(secrets: readonly HashedSecret[]): string {
  const byName = new Map(secrets.map((secret) => [refKey(secret.ref), secret.data]));
  const hash = createHash("sha256");
  for (const [name, data] of [...byName].sort(byKey)) {
    hash.update(name);
    for (const [key, value] of Object.entries(data).sort(byKey))
      hash.update(key).update(Buffer.from(value, "base64"));
  }
  return hash.digest("hex");
}

/** By bytes, as Go sorts; names and keys are ASCII. */
function byKey([a]: readonly [string, unknown], [b]: readonly [string, unknown]): number {
  return a < b ? -1 : 1;
}
