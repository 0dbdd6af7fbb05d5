import type { Context } from "hono";
import * as z from "zod";
import { TaskError, type TaskErrorCode } from "../../a2a/task-service.ts";
import { check, sentence, type Violation } from "../../api/checked.ts";
import { ClusterError, type ClusterErrorCode } from "../../api/cluster-reader.ts";
import type { ObjectRef } from "../../api/names.ts";
import { NamespaceName, ObjectName } from "../../api/object-meta.ts";
import { BodyTooLargeError, readBody } from "../../process/request-body.ts";
import { OwnerMismatchError, UnknownIdError } from "../../store/session-store.ts";
import type { Logger } from "../../telemetry/log.ts";

/** Statuses that say no. */
type RefusalStatus = 400 | 403 | 404 | 409 | 413 | 500 | 501 | 503;

/** 2 MiB of JSON: a whole Agent, a prompt library; etcd takes no larger object. */
const MAX_BODY_BYTES = 2 * 1024 * 1024;

/** A request that is refused; the message is for the caller. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: RefusalStatus;

  constructor(status: RefusalStatus, message: string, options?: ErrorOptions) {
    super(message, options);
    this.status = status;
  }
}

/** Success as kagent's clients read it. */
export function ok(context: Context, data: unknown, status: 200 | 201 = 200): Response {
  return context.json({ error: false, data, message: "" }, status);
}

/** The refusal of what is not there. */
export function missing(what: string): ApiError {
  return new ApiError(404, `there is no ${what}`);
}

/** The refusal of what breaks rules, all of them with their paths. */
export function invalid(violations: readonly Violation[]): ApiError {
  return new ApiError(400, sentence(violations));
}

/**
 * The body of a request.
 *
 * @throws ApiError 400 with every violation, 413.
 */
export async function bodyOf<T>(context: Context, schema: z.ZodType<T>): Promise<T> {
  return checked(schema, await jsonOf(context), "");
}

/** The query of a request. @throws ApiError 400 with every violation. */
export function queryOf<T>(context: Context, schema: z.ZodType<T>): T {
  return checked(schema, context.req.query(), "");
}

/** @throws ApiError 400 with every violation. */
export function checked<T>(schema: z.ZodType<T>, input: unknown, root: string): T {
  const result = check(schema, input, root);
  if (!result.ok) throw invalid(result.violations);
  return result.value;
}

const Ref = z.object({ namespace: NamespaceName, name: ObjectName });

/** `{namespace}/{name}` of the path. @throws ApiError 400 for names that are none. */
export function refOf(context: Context): ObjectRef {
  const { namespace, name } = context.req.param() as Record<string, string>;
  return checked(Ref, { namespace, name }, "");
}

/** `namespace/name` in a body or query, or `ns__NS__name` as kagent's ids have it. */
export const RefText = z
  .string()
  .max(320)
  .transform((text, context) => {
    const [first = "", second, ...more] = text.replace("__NS__", "/").split("/");
    const parts = second === undefined ? { name: first } : { namespace: first, name: second };
    const ref = PartialRef.safeParse(parts);
    if (ref.success && more.length === 0) return ref.data;
    context.addIssue({ code: "custom", message: "must be namespace/name" });
    return z.NEVER;
  });
const PartialRef = z.object({ namespace: NamespaceName.optional(), name: ObjectName });

const CLUSTER_STATUS: Readonly<Record<ClusterErrorCode, RefusalStatus>> = {
  "not-found": 404,
  forbidden: 403,
  unauthorized: 503,
  unreachable: 503,
  timeout: 503,
  invalid: 400,
  conflict: 409,
  exists: 409,
  expired: 503,
};
const TASK_STATUS: Readonly<Record<TaskErrorCode, RefusalStatus>> = {
  "task-not-found": 404,
  "context-not-found": 404,
  "agent-not-found": 404,
  "not-cancelable": 409,
  "not-expecting-input": 409,
  "not-permitted": 403,
  busy: 503,
  invalid: 400,
};

/** What a failure is to the caller; faults of ours are logged and told without their text. */
export function refusalOf(error: unknown, context: Context, log: Logger): Response {
  const { status, message } = refusal(error);
  if (status === 500)
    log.error("request failed", {
      path: context.req.path,
      method: context.req.method,
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  return context.json({ error: message }, status);
}

function refusal(error: unknown): { readonly status: RefusalStatus; readonly message: string } {
  if (error instanceof ApiError) return error;
  if (error instanceof ClusterError)
    return { status: CLUSTER_STATUS[error.code], message: error.message };
  if (error instanceof TaskError)
    return { status: TASK_STATUS[error.code], message: error.message };
  if (error instanceof BodyTooLargeError) return { status: 413, message: error.message };
  if (error instanceof UnknownIdError)
    return { status: 404, message: `there is no ${error.kind} ${error.id}` };
  if (error instanceof OwnerMismatchError)
    return { status: 409, message: "the id is taken; choose another one" };
  if (error instanceof RangeError) return { status: 400, message: error.message };
  return { status: 500, message: "internal error" };
}

async function jsonOf(context: Context): Promise<unknown> {
  const text = await readBody(context.req.raw, MAX_BODY_BYTES);
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(400, "the request body is not JSON");
  }
}
