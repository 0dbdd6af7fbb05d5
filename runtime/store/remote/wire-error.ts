import * as z from "zod";
import { TASK_STATES } from "../../api/events.ts";
import { OwnerMismatchError, TaskOverError, UnknownIdError } from "../session-store.ts";

/** A worker asked for what is another agent's. A retry does not help. */
export class StoreForbiddenError extends Error {
  override readonly name = "StoreForbiddenError";
}

/** An answer that refuses a call for good, as JSON. */
const WireError = z.discriminatedUnion("name", [
  z.object({ name: z.literal("OwnerMismatchError"), message: z.string() }),
  z.object({
    name: z.literal("UnknownIdError"),
    kind: z.enum(["session", "task", "worker"]),
    id: z.string(),
  }),
  z.object({
    name: z.literal("TaskOverError"),
    taskId: z.string(),
    state: z.enum(TASK_STATES),
    wanted: z.enum(TASK_STATES),
  }),
  z.object({ name: z.literal("RangeError"), message: z.string() }),
  z.object({ name: z.literal("StoreForbiddenError"), message: z.string() }),
]);
type WireError = z.output<typeof WireError>;

const Refusal = z.object({ error: WireError });

/** HTTP status and body for an error of the store; `undefined` for what is no refusal but a fault. */
export function toWireError(
  error: unknown,
): { readonly status: 400 | 403 | 404 | 409; readonly error: WireError } | undefined {
  if (error instanceof OwnerMismatchError)
    return { status: 409, error: { name: error.name, message: error.message } };
  if (error instanceof UnknownIdError)
    return { status: 404, error: { name: error.name, kind: error.kind, id: error.id } };
  if (error instanceof TaskOverError) {
    const { name, taskId, state, wanted } = error;
    return { status: 409, error: { name, taskId, state, wanted } };
  }
  if (error instanceof StoreForbiddenError)
    return { status: 403, error: { name: error.name, message: error.message } };
  if (error instanceof RangeError)
    return { status: 400, error: { name: "RangeError", message: error.message } };
  return undefined;
}

/** The store's error behind an answer; `undefined` when the answer is somebody else's. */
export function fromWireError(body: unknown): Error | undefined {
  const { data } = Refusal.safeParse(body);
  if (data === undefined) return undefined;
  const { error } = data;
  switch (error.name) {
    case "OwnerMismatchError":
      return new OwnerMismatchError(error.message);
    case "UnknownIdError":
      return new UnknownIdError(error.kind, error.id);
    case "TaskOverError":
      return new TaskOverError(error.taskId, error.state, error.wanted);
    case "RangeError":
      return new RangeError(error.message);
    case "StoreForbiddenError":
      return new StoreForbiddenError(error.message);
  }
}
