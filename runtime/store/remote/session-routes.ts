import { type Context, Hono } from "hono";
import type * as z from "zod";
import { check, sentence } from "../../api/checked.ts";
import { type ObjectRef, refKey } from "../../api/names.ts";
import { BodyTooLargeError, readBody } from "../../process/request-body.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { ApprovalStore } from "../approval-store.ts";
import { UnknownIdError } from "../session-store.ts";
import type { TurnMemories, TurnStore } from "../turn-store.ts";
import {
  type CallInput,
  type CallOutput,
  MAX_REQUEST_BYTES,
  STORE_CALLS,
  type StoreCall,
} from "./protocol.ts";
import { StoreForbiddenError, toWireError } from "./wire-error.ts";

/** What {@link sessionRoutes} serves and to whom. */
export interface SessionRoutesOptions {
  readonly sessions: TurnStore;
  /** Absent: workers find no requests for approval but their callers' own. */
  readonly approvals?: ApprovalStore;
  /** Absent: agents have no memories here. */
  readonly memories?: TurnMemories;
  /**
   * Whether the worker that sends `request` runs `agent`, by its proven identity. Who it is at all has been established
   * before: without a token nobody comes this far.
   */
  readonly mayServe: (request: Request, agent: ObjectRef) => boolean | Promise<boolean>;
  readonly log: Logger;
}

/** Whether this request may touch an agent's data. */
type May = (agent: ObjectRef) => Promise<boolean>;
type Handlers = {
  readonly [C in StoreCall]: (input: CallInput<C>, may: May) => Promise<CallOutput<C>>;
};

/**
 * The store for workers over HTTP: `POST /<call>` with JSON, `{"result"}` or `{"error"}` back (decisions 14).
 *
 * To be mounted at {@link STORE_PATH}, behind authentication. A worker reads and writes what belongs to the agents it
 * runs; everything else is absent, or refused where a call names the agent itself.
 */
export function sessionRoutes(options: SessionRoutesOptions): Hono {
  const handlers: Handlers = { ...sessionHandlers(options.sessions), ...otherHandlers(options) };
  const app = new Hono();
  for (const call of Object.keys(STORE_CALLS) as StoreCall[])
    app.post(`/${call}`, (context) => serve(options, call, handlers, context));
  return app;
}

async function serve(
  { mayServe, log }: SessionRoutesOptions,
  call: StoreCall,
  handlers: Handlers,
  context: Context,
): Promise<Response> {
  const request = context.req.raw;
  try {
    const input = readInput(call, await readBody(request, MAX_REQUEST_BYTES));
    const may: May = async (agent) => mayServe(request, agent);
    const handler = handlers[call] as (input: unknown, may: May) => Promise<unknown>;
    return context.json({ result: await handler(input, may) });
  } catch (error) {
    if (error instanceof BodyTooLargeError) {
      context.header("connection", "close"); // what is left of the body is not worth a connection
      return context.json({ error: { name: "RangeError", message: error.message } }, 413);
    }
    const refused = toWireError(error);
    if (refused !== undefined) return context.json({ error: refused.error }, refused.status);
    if (request.signal.aborted) return context.json({}, 503);
    log.error("store call failed", { call, error: String(error) });
    return context.json({ error: { name: "Internal", message: "the store failed" } }, 500);
  }
}

/** @throws RangeError for what is not of the call's shape. */
function readInput(call: StoreCall, text: string): unknown {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    throw new RangeError(`failed to read the request for ${call}: it is not JSON`);
  }
  const schema: z.ZodType = STORE_CALLS[call].input;
  const checked = check(schema, body, "");
  if (checked.ok) return checked.value;
  throw new RangeError(`failed to read the request for ${call}: ${sentence(checked.violations)}`);
}

async function allowed(may: May, agent: ObjectRef): Promise<void> {
  if (await may(agent)) return;
  throw new StoreForbiddenError(`this worker does not run agent ${refKey(agent)}`);
}

/** `found` if its agent is one of the worker's. */
async function own<T extends { readonly agent: ObjectRef }>(
  may: May,
  found: T | undefined,
): Promise<T | undefined> {
  return found !== undefined && (await may(found.agent)) ? found : undefined;
}

function sessionHandlers(sessions: TurnStore) {
  const ownTask = async (may: May, id: string, user: string) =>
    await own(may, await sessions.getTask(id, user));
  return {
    async ensureSession(session, may) {
      await allowed(may, session.agent);
      return await sessions.ensureSession(session);
    },
    getSession: async ({ id, user }, may) => own(may, await sessions.getSession(id, user)),
    async createTask(task, may) {
      await allowed(may, task.agent);
      return await sessions.createTask(task);
    },
    getTask: ({ id, user }, may) => ownTask(may, id, user),
    async listTasks(query, may) {
      await allowed(may, query.agent);
      const { tasks, ...page } = await sessions.listTasks(query);
      return { ...page, tasks: [...tasks] };
    },
    async append({ contextId, agent, user, events }, may) {
      await allowed(may, agent);
      const session = await sessions.getSession(contextId, user);
      if (session === undefined || refKey(session.agent) !== refKey(agent))
        throw new UnknownIdError("session", contextId);
      return (await sessions.append(contextId, events)).map(({ seq }) => seq);
    },
    async events({ contextId, user, ...filter }, may) {
      const session = await own(may, await sessions.getSession(contextId, user));
      return session === undefined ? [] : [...(await sessions.events(contextId, user, filter))];
    },
    heartbeat: async (owner) => {
      await sessions.heartbeat(owner);
      return undefined;
    },
    async claimTask({ taskId, user, ownerId }, may) {
      if ((await ownTask(may, taskId, user)) === undefined)
        throw new UnknownIdError("task", taskId);
      await sessions.claimTask(taskId, ownerId);
      return undefined;
    },
    async ownerOf({ taskId, user }, may) {
      const task = await ownTask(may, taskId, user);
      return task === undefined ? undefined : await sessions.ownerOf(taskId, user);
    },
  } satisfies Partial<Handlers>;
}

function otherHandlers({ memories, approvals }: SessionRoutesOptions) {
  const kept = (): TurnMemories => {
    if (memories === undefined) throw new RangeError("this platform keeps no memories");
    return memories;
  };
  return {
    async listApprovals(filter, may) {
      const found = (await approvals?.list(filter)) ?? [];
      const mine = await Promise.all(found.map((record) => own(may, record)));
      return mine.filter((record) => record !== undefined);
    },
    async addMemories({ memories: added }, may) {
      for (const { agent } of added) await allowed(may, agent);
      return (await kept().add(added)).map((memory) => ({ ...memory }));
    },
    async searchMemories(query, may) {
      await allowed(may, query.agent);
      return (await kept().search(query)).map((memory) => ({ ...memory }));
    },
  } satisfies Partial<Handlers>;
}
