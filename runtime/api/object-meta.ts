import * as z from "zod";
import { text } from "./text.ts";

/** An RFC 1123 subdomain, the form that names of objects have. 1-253 characters. */
export const ObjectName = text(1, 253).regex(
  /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  "must be lower-case letters, digits, - and ., and begin and end with a letter or digit",
);

/** An RFC 1123 label, the form that names of namespaces have. 1-63 characters. */
export const NamespaceName = text(1, 63).regex(
  /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/,
  "must be lower-case letters, digits and -, and begin and end with a letter or digit",
);

/** 253 characters of a subdomain, a slash, 63 characters of a name. */
const QualifiedName = text(1, 317).regex(
  /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-\w.]{0,61}[A-Za-z0-9])?$/,
  "must be a name of up to 63 characters, with or without a DNS prefix and a slash before it",
);

const LabelValue = text(0, 63).regex(
  /^([A-Za-z0-9]([-\w.]*[A-Za-z0-9])?)?$/,
  "must be letters, digits, -, _ and ., and begin and end with a letter or digit",
);

const Stamp = z.string();

/**
 * Metadata of an object, as people write it and as a cluster answers.
 *
 * @see https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/object-meta/
 */
export const ObjectMeta = z.strictObject({
  name: ObjectName,
  namespace: NamespaceName.optional(),
  labels: z.record(QualifiedName, LabelValue).optional(),
  annotations: z.record(QualifiedName, z.string()).optional(),
  uid: z.string().optional(),
  resourceVersion: z.string().optional(),
  generation: z.int().optional(),
  creationTimestamp: Stamp.optional(),
  deletionTimestamp: Stamp.optional(),
  deletionGracePeriodSeconds: z.int().optional(),
  finalizers: z.array(z.string()).optional(),
  ownerReferences: z
    .array(
      z.looseObject({
        apiVersion: z.string(),
        kind: z.string(),
        name: z.string(),
        uid: z.string(),
        controller: z.boolean().optional(),
        blockOwnerDeletion: z.boolean().optional(),
      }),
    )
    .optional(),
  generateName: z.string().optional(),
  managedFields: z.array(z.unknown()).optional(),
  selfLink: z.string().optional(),
});
/** Metadata of an object. */
export type ObjectMeta = z.output<typeof ObjectMeta>;
