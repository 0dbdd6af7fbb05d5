import * as z from "zod";
import type { Violation } from "../../api/checked.ts";

/** Longest warning that the API server passes on without cutting it. */
const MAX_WARNING = 256;
/** Most warnings in one answer; kubectl prints each on a line. */
const MAX_WARNINGS = 20;

/** A question of the API server (admission.k8s.io/v1), as far as it is read. */
export const AdmissionReview = z.looseObject({
  apiVersion: z.literal("admission.k8s.io/v1"),
  kind: z.literal("AdmissionReview"),
  request: z.looseObject({
    uid: z.string().min(1).max(256),
    operation: z.enum(["CREATE", "UPDATE", "DELETE", "CONNECT"]),
    name: z.string().optional(),
    namespace: z.string().optional(),
    object: z.unknown(),
  }),
});
/** A question of the API server. */
export type AdmissionReview = z.output<typeof AdmissionReview>;

/** What is said of an object. */
export interface AdmissionAnswer {
  /** Why it is refused; empty: it is admitted. */
  readonly violations: readonly Violation[];
  readonly warnings: readonly Violation[];
}

/** The answer in the API server's form; a refusal is told as a Status with every path among its causes. */
export function reviewAnswer(
  { request }: AdmissionReview,
  { violations, warnings }: AdmissionAnswer,
): object {
  const texts = warnings.slice(0, MAX_WARNINGS).map(lineOf);
  return {
    apiVersion: "admission.k8s.io/v1",
    kind: "AdmissionReview",
    response: {
      uid: request.uid,
      allowed: violations.length === 0,
      ...(texts.length === 0 ? {} : { warnings: texts }),
      ...(violations.length === 0 ? {} : { status: refusal(violations) }),
    },
  };
}

function refusal(violations: readonly Violation[]): object {
  return {
    status: "Failure",
    code: 422,
    reason: "Invalid",
    message: violations
      .map(({ path, message }) => (path === "" ? message : `${path}: ${message}`))
      .join("; "),
    details: {
      causes: violations.map(({ path, message }) => ({
        reason: "FieldValueInvalid",
        field: path,
        message,
      })),
    },
  };
}

function lineOf({ path, message }: Violation): string {
  const line = path === "" ? message : `${path}: ${message}`;
  return line.length <= MAX_WARNING ? line : `${line.slice(0, MAX_WARNING - 3)}...`;
}
