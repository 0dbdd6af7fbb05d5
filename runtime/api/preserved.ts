import * as z from "zod";

/** Key of a schema's metadata: the API server keeps what the schema does not know. */
export const PRESERVE = "x-kubernetes-preserve-unknown-fields";
/** Key of a schema's metadata: an integer or a string, the one union that CRDs have. */
export const INT_OR_STRING = "x-kubernetes-int-or-string";

/** An object of Kubernetes or of a user that is passed on as it is. */
export function preservedObject(): z.ZodRecord<z.ZodString, z.ZodUnknown> {
  return z.record(z.string(), z.unknown()).meta({ [PRESERVE]: true });
}

/** An object of which only `shape` is known here; the rest is passed on as it is. */
export function partlyKnown<S extends z.ZodRawShape>(shape: S) {
  return z.looseObject(shape).meta({ [PRESERVE]: true });
}
