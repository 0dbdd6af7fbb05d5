import * as z from "zod";

/** Where a JSON-RPC request has to be answered. */
export type RoutePlan =
  /** By this process, from the store, or with an error. */
  | { readonly kind: "here" }
  /** A new turn, or the answer to a task that waits. */
  | { readonly kind: "message"; readonly taskId?: string; readonly contextId?: string }
  /** By whoever runs the task, if anybody does. */
  | { readonly kind: "task"; readonly taskId: string };

/** Methods of both versions that begin or continue a turn. */
const MESSAGE_METHODS: ReadonlySet<string> = new Set([
  "message/send",
  "message/stream",
  "SendMessage",
  "SendStreamingMessage",
]);
/** Methods of both versions that concern a turn under way. */
const TASK_METHODS: ReadonlySet<string> = new Set([
  "tasks/cancel",
  "tasks/resubscribe",
  "CancelTask",
  "SubscribeToTask",
]);

const Id = z.string().min(1).max(512);
const MessageParams = z.object({
  message: z.object({
    taskId: Id.optional().catch(undefined),
    contextId: Id.optional().catch(undefined),
  }),
});
const TaskParams = z.object({ id: Id });

/**
 * Where a request is answered, by its method and the ids in it; everything else about it is left to who answers.
 *
 * Parameters of a wrong shape are answered here: the edge says what is wrong with them.
 */
export function routePlan({
  method,
  body,
}: {
  method: string;
  body: Record<string, unknown>;
}): RoutePlan {
  const params: unknown = body["params"];
  if (MESSAGE_METHODS.has(method)) {
    const { taskId, contextId } = MessageParams.safeParse(params).data?.message ?? {};
    return {
      kind: "message",
      ...(taskId === undefined ? {} : { taskId }),
      ...(contextId === undefined ? {} : { contextId }),
    };
  }
  const task = TASK_METHODS.has(method) ? TaskParams.safeParse(params).data : undefined;
  return task === undefined ? { kind: "here" } : { kind: "task", taskId: task.id };
}
