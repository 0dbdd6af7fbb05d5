import type { Caller } from "../../../runtime/a2a/task-service.ts";
import { openRequest } from "../../../runtime/api/approval-request.ts";
import { readApprover } from "../../../runtime/api/approvers.ts";
import type { TurnUpdate } from "../../../runtime/api/events.ts";
import { HEADERS, parseRef } from "../../../runtime/api/names.ts";
import type { Tasks } from "../../../runtime/worker/tasks.ts";
import type { AgentCall, AgentUpdate, TurnDeps } from "../../../runtime/worker/turn-context.ts";

/** Agents of the same worker that call one another, as they do over A2A: what the wire leaves out is left out. */
export function agentsInProcess(tasks: () => Tasks): TurnDeps["agents"] {
  return {
    async *call(call, signal) {
      signal.throwIfAborted();
      const { agent, caller } = addressed(call);
      const running = await tasks().send(
        {
          agent,
          messageId: "m",
          parts: call.parts,
          metadata: call.metadata,
          contextId: call.contextId,
          ...(call.taskId === undefined ? {} : { taskId: call.taskId }),
        },
        caller,
      );
      const { taskId, contextId } = running;
      const abandon = (): void => void tasks().cancel(agent, taskId, caller);
      signal.addEventListener("abort", abandon, { once: true });
      yield { kind: "task", taskId, contextId };
      for await (const update of running.updates) yield* activity(update);
      signal.removeEventListener("abort", abandon);
      signal.throwIfAborted();
      const view = await tasks().get(agent, taskId, caller);
      const answer = view.events.findLast(
        ({ body }) => body.type === "message" && body.role === "agent",
      )?.body;
      const pending = openRequest(view.events, taskId)?.body.pending ?? [];
      yield {
        kind: "result",
        state: view.state,
        parts: answer?.type === "message" ? answer.parts : [],
        error: view.error,
        pending: pending.map(({ delegate: _, ...asked }) => asked),
      };
    },
    async cancel({ url, headers, taskId }) {
      const { agent, caller } = addressed({ url, headers });
      await tasks().cancel(agent, taskId, caller);
    },
  };
}

function addressed({ url, headers }: Pick<AgentCall, "url" | "headers">) {
  const [name = "", namespace = ""] = url.split("/").filter(Boolean).toReversed();
  const approver = readApprover(headers);
  const caller: Caller = {
    user: headers[HEADERS.userId] ?? "",
    headers,
    ...(approver === undefined ? {} : { approver }),
  };
  return { agent: parseRef(`${namespace}/${name}`), caller };
}

function* activity(update: TurnUpdate): Generator<AgentUpdate> {
  if (update.kind === "event" && update.event.body.type !== "status")
    yield { kind: "activity", author: update.event.author, body: update.event.body };
}
