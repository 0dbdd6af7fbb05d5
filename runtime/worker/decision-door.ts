import { type Caller, type SendRequest, TaskError } from "../a2a/task-service.ts";
import type { AgentConfig } from "../api/agent-config.ts";
import { readDecision } from "../api/approval-decision.ts";
import {
  EXPIRY_APPROVER,
  isDecision,
  isExpire,
  isExpired,
  type OpenRequest,
  openRequest,
} from "../api/approval-request.ts";
import { type Decider, refusedDecider } from "../api/approvers.ts";
import { HEADERS, type ObjectRef, refKey } from "../api/names.ts";
import type { Clock } from "../process/clock.ts";
import type { ApprovalStore } from "../store/approval-store.ts";
import type { Session, SessionStore, StoredTask } from "../store/session-store.ts";
import type { TurnRequest } from "./turn-context.ts";

/** What {@link admit} looks things up in. */
export interface DoorDeps {
  readonly sessions: Pick<SessionStore, "getTask" | "getSession" | "events">;
  /** Finds tasks for approvers who do not own them; without it only owners decide. */
  readonly approvals?: ApprovalStore;
  readonly clock: Pick<Clock, "now">;
}

/** An answer to a task that waits for people, let in. */
export interface Admitted {
  readonly task: StoredTask;
  readonly session: Session;
  readonly decision: NonNullable<TurnRequest["decision"]>;
  /** The task is somebody else's. */
  readonly foreign: boolean;
}

type Answer = SendRequest & { readonly taskId: string };

/**
 * Lets an answer to a waiting task in: from its owner, from people whom the agent names as approvers, from the agent
 * that asked for the task, and from the controller when the request has expired. Nothing is stored or run here.
 *
 * The task of somebody else is found for a decision only, and nothing of it is told.
 *
 * @throws TaskError `task-not-found`, `not-expecting-input`, `not-permitted`, `invalid`
 */
export async function admit(
  deps: DoorDeps,
  config: AgentConfig,
  answer: Answer,
  caller: Caller,
): Promise<Admitted> {
  const task = await taskOf(deps, answer, caller);
  const { contextId, user } = task;
  const [session, events] = await Promise.all([
    deps.sessions.getSession(contextId, user),
    deps.sessions.events(contextId, user, { taskId: task.id }),
  ]);
  const request = openRequest(events, task.id);
  const foreign = isForeign(task, caller);
  const expire = caller.trusted === true && isExpire(answer.parts);
  const by = decider(caller, expire);
  if (session === undefined || (foreign && request === undefined)) throw notFound(task.id);
  if (request !== undefined && !expire)
    checkRights(config, { task, session, request, answer, caller, by });
  if (answer.contextId !== undefined && answer.contextId !== contextId)
    throw new TaskError("invalid", `task ${task.id} belongs to another context`);
  const { seq, body } = waiting(task, request);
  if (expire && !isExpired(body, deps.clock.now()))
    throw new TaskError("invalid", `the request of task ${task.id} has not expired`);
  const kind = expire ? ("expire" as const) : ("answer" as const);
  return { task, session, foreign, decision: { seq, decider: by, kind } };
}

/**
 * Whether somebody else's task is decided about: found here, or by the controller that passes an approver's decision on
 * in the owner's name. An agent that passes one on is the task's caller, and has to learn how it ends.
 */
function isForeign({ user }: StoredTask, { user: by, approver, headers }: Caller): boolean {
  if (user !== by) return true;
  return approver !== undefined && approver.user !== user && headers[HEADERS.source] !== "agent";
}

function waiting({ id, state }: StoredTask, request: OpenRequest | undefined): OpenRequest {
  if (state === "input-required" && request !== undefined) return request;
  throw new TaskError("not-expecting-input", `task ${id} is ${state}, not waiting for input`);
}

/** The caller's own task, or one that somebody is asked to decide about. */
async function taskOf(
  { sessions, approvals }: DoorDeps,
  { taskId, agent, parts }: Answer,
  caller: Caller,
): Promise<StoredTask> {
  const own = await sessions.getTask(taskId, caller.user);
  const found = own ?? (isDecision(parts) ? await waitingTask(sessions, approvals, taskId) : own);
  if (found === undefined || !isOf(found, agent)) throw notFound(taskId);
  return found;
}

async function waitingTask(
  sessions: DoorDeps["sessions"],
  approvals: ApprovalStore | undefined,
  taskId: string,
): Promise<StoredTask | undefined> {
  const [record] = (await approvals?.list({ taskId, state: "pending", limit: 1 })) ?? [];
  return record === undefined ? undefined : await sessions.getTask(taskId, record.user);
}

function isOf(task: StoredTask, agent: ObjectRef): boolean {
  return refKey(task.agent) === refKey(agent);
}

function notFound(taskId: string): TaskError {
  return new TaskError("task-not-found", `there is no task ${taskId}`);
}

function decider({ user, groups, approver }: Caller, expire: boolean): Decider {
  if (expire) return { user: EXPIRY_APPROVER };
  return approver ?? { user, ...(groups === undefined ? {} : { groups }) };
}

function checkRights(
  config: AgentConfig,
  question: {
    readonly task: StoredTask;
    readonly session: Session;
    readonly request: OpenRequest;
    readonly answer: Answer;
    readonly caller: Caller;
    readonly by: Decider;
  },
): void {
  const { task, session, request, answer, caller, by } = question;
  const { pending } = request.body;
  const rights = { owner: task.user, approvers: config.approval.approvers };
  const asAgent = caller.headers[HEADERS.source] === "agent";
  if (session.source === "agent" && asAgent && task.user === caller.user) {
    // Who asked for the task may end it, so it may reject: it does when nobody decided there in time.
    const read = readDecision(answer.parts, pending);
    if (read.ok && read.decisions.every(({ decision }) => decision === "reject")) return;
  }
  const refused = refusedDecider(pending, rights, by);
  if (refused !== undefined) {
    const stranger = pending.every((call) => refusedDecider([call], rights, by) !== undefined);
    if (task.user !== caller.user && stranger) throw notFound(task.id);
    throw new TaskError("not-permitted", `task ${task.id}: ${refused}`);
  }
  if (session.source === "agent" && !asAgent)
    throw new TaskError(
      "invalid",
      `task ${task.id} was asked for by another agent: decide in the session ${session.rootContextId}, where it is asked about too`,
    );
}
