import type { Caller } from "../a2a/task-service.ts";
import type { AgentConfig } from "../api/agent-config.ts";
import { argsHash } from "../api/approval-decision.ts";
import { type OpenRequest, openRequest } from "../api/approval-request.ts";
import type { EventOf, NewEvent } from "../api/events.ts";
import { type ObjectRef, refKey } from "../api/names.ts";
import type { StoredTask } from "../store/session-store.ts";
import { agentUse } from "./agent-use.ts";
import { cancelDelegate, lineage } from "./delegate.ts";
import type { RunDeps } from "./run.ts";

/** What {@link cancelWaiting} needs. */
export interface CancelDeps extends RunDeps {
  readonly config: (agent: ObjectRef) => AgentConfig | undefined;
}

/**
 * Ends a task that waits for people, or that nobody runs: its request is open no more, and the tasks of other agents
 * that wait on its behalf are cancelled too.
 *
 * Resolves when those have heard of it, each within 2 s; the task itself has ended long before.
 */
export async function cancelWaiting(
  deps: CancelDeps,
  task: StoredTask,
  caller: Caller,
): Promise<void> {
  const { sessions } = deps;
  const { id, contextId, agent, user } = task;
  const request = openRequest(await sessions.events(contextId, user, { taskId: id }), id);
  const bodies: NewEvent["body"][] = [{ type: "status", state: "canceled" }];
  if (request !== undefined) bodies.unshift(canceled(request, caller.user));
  const time = new Date(deps.clock.now()).toISOString();
  const common = { time, contextId, taskId: id, author: refKey(agent) };
  await sessions.append(
    contextId,
    bodies.map((body) => ({ ...common, id: deps.newId(), body })),
  );
  if (request !== undefined) await cancelDelegates(deps, { task, request, caller });
}

async function cancelDelegates(
  deps: CancelDeps,
  of: { readonly task: StoredTask; readonly request: OpenRequest; readonly caller: Caller },
): Promise<void> {
  const { contextId, agent, user } = of.task;
  const config = deps.config(agent);
  const waiting = waitingDelegates(of.request);
  if (config === undefined || waiting.length === 0) return;
  const session = await deps.sessions.getSession(contextId, user);
  const rootContextId = session?.rootContextId ?? contextId;
  const request = { user, contextId, rootContextId, headers: of.caller.headers };
  await Promise.all(
    waiting.map(async (delegate) => {
      const use = agentUse(config, delegate.agent);
      if (use === undefined) return;
      const headers = lineage({ config, request }, use);
      await cancelDelegate(deps, { ...delegate, url: use.url, headers });
    }),
  );
}

/** The tasks of other agents that wait for people, each once. */
function waitingDelegates({
  body,
}: OpenRequest): readonly { readonly agent: string; readonly taskId: string }[] {
  const byTask = new Map(
    body.pending.flatMap(({ delegate }) =>
      delegate === undefined ? [] : [[delegate.taskId, delegate] as const],
    ),
  );
  return [...byTask.values()].map(({ agent, taskId }) => ({ agent, taskId }));
}

/** What waits no more is no open item of anybody's. */
function canceled({ body }: OpenRequest, approver: string): EventOf<"approval-decided"> {
  const reason = "the task was canceled";
  return {
    type: "approval-decided",
    approver,
    decisions: body.pending.map(({ callId, args }) => ({
      callId,
      decision: "reject",
      reason,
      argsHash: argsHash(args),
    })),
  };
}
