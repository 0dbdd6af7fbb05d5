import type { Event, NewEvent } from "../../api/events.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { ApprovalRecord, ApprovalStore } from "../approval-store.ts";
import {
  type NewSession,
  OwnerMismatchError,
  type RunOwner,
  type Session,
  type StoredTask,
  type TaskQuery,
  UnknownIdError,
} from "../session-store.ts";
import { StoreAwayError } from "../store-away-error.ts";
import type { TurnMemories, TurnStore } from "../turn-store.ts";
import { KnownSessions } from "./known-sessions.ts";
import { Outbox, type OutboxState } from "./outbox.ts";
import { StoreClient, type StoreClientDeps } from "./store-client.ts";

/** 500 events in one answer; a longer session comes in several. */
const PAGE = 500;
/** A sign of life is not repeated: the next one is due after 5 s. */
const ONE_TRY = { ms: 0 };
/** 15 s for events that wait before the session is read. */
const SETTLE_MS = 15_000;

/** What a {@link RemoteSessionStore} needs. */
export interface RemoteStoreDeps extends StoreClientDeps {
  readonly log: Logger;
  /** Characters of JSON that may wait while the store is away; 16 Mi unless set. */
  readonly maxWaiting?: number;
}

/**
 * The session store of the controller, over HTTP: what a worker has instead of a database (decisions 14).
 *
 * Everything is repeated with back-off while the controller is away: events without limit (see {@link Outbox}), other
 * calls for 15 s. Reads wait for the session's events that are on their way, so that they see what this process has told
 * others already.
 */
export class RemoteSessionStore implements TurnStore {
  readonly #client: StoreClient;
  readonly #deps: RemoteStoreDeps;
  readonly #outbox: Outbox;
  readonly #known = new KnownSessions();
  readonly #closed = new AbortController();

  constructor(deps: RemoteStoreDeps) {
    const { clock, log, maxWaiting } = deps;
    const client = new StoreClient(deps);
    this.#deps = deps;
    this.#client = client;
    this.#outbox = new Outbox({
      send: (body, signal) => client.attempt("append", body, signal),
      backOff: (failures) => client.backOff(failures),
      clock,
      log,
      ...(maxWaiting === undefined ? {} : { maxWaiting }),
    });
  }

  /** Whether the store is away, and what waits for it. */
  get state(): OutboxState {
    return this.#outbox.state;
  }

  async ensureSession(session: NewSession): Promise<Session> {
    const stored = await this.#client.call("ensureSession", session, this.#signal);
    this.#known.addSession(stored.id, stored);
    return stored;
  }

  async getSession(id: string, user: string): Promise<Session | undefined> {
    const session = await this.#client.call("getSession", { id, user }, this.#signal);
    if (session !== undefined) this.#known.addSession(id, session);
    return session;
  }

  /** Repeats a call whose answer was not seen: a task that was made by the first try is no mismatch. */
  async createTask(
    task: Pick<StoredTask, "id" | "contextId" | "agent" | "user">,
  ): Promise<StoredTask> {
    const { id, contextId, agent, user } = task;
    const made = { id, contextId, agent, user };
    let stored: StoredTask;
    try {
      stored = await this.#client.call("createTask", made, this.#signal, ONE_TRY);
    } catch (error) {
      if (!(error instanceof StoreAwayError)) throw error;
      stored = await this.#createAgain(made);
    }
    this.#known.addTask(id, stored);
    return stored;
  }

  async getTask(id: string, user: string): Promise<StoredTask | undefined> {
    const known = this.#known.task(id);
    if (known !== undefined) await this.#settled(known.contextId);
    const task = await this.#client.call("getTask", { id, user }, this.#signal);
    if (task !== undefined) this.#known.addTask(id, task);
    return task;
  }

  async listTasks(query: TaskQuery): Promise<{
    readonly tasks: readonly StoredTask[];
    readonly total: number;
    readonly nextPageToken?: string;
  }> {
    const page = await this.#client.call("listTasks", query, this.#signal);
    for (const task of page.tasks) this.#known.addTask(task.id, task);
    return page;
  }

  async append(contextId: string, events: readonly NewEvent[]): Promise<readonly Event[]> {
    if (events.length === 0) return [];
    const owner = this.#known.session(contextId);
    if (owner === undefined) throw new UnknownIdError("session", contextId);
    return await this.#outbox.append(contextId, owner, events);
  }

  async events(
    contextId: string,
    user: string,
    filter: {
      readonly taskId?: string;
      readonly afterSeq?: number;
      readonly limit?: number;
    } = {},
  ): Promise<readonly Event[]> {
    await this.#settled(contextId);
    const { limit = Number.POSITIVE_INFINITY, ...rest } = filter;
    const query = { contextId, user, ...rest };
    const found: Event[] = [];
    for (;;) {
      const most = Math.min(PAGE, limit - found.length);
      const after = found.at(-1)?.seq;
      const page = await this.#client.call(
        "events",
        { ...query, ...(after === undefined ? {} : { afterSeq: after }), limit: most },
        this.#signal,
      );
      found.push(...page);
      if (page.length < PAGE || found.length >= limit) return found;
    }
  }

  async heartbeat({ id, url }: RunOwner): Promise<void> {
    await this.#client.call("heartbeat", { id, url }, this.#signal, ONE_TRY);
  }

  async claimTask(taskId: string, ownerId: string): Promise<void> {
    const known = this.#known.task(taskId);
    if (known === undefined) throw new UnknownIdError("task", taskId);
    await this.#client.call("claimTask", { taskId, user: known.user, ownerId }, this.#signal);
  }

  async ownerOf(
    taskId: string,
    user: string,
  ): Promise<(RunOwner & { readonly silentMs: number }) | undefined> {
    return await this.#client.call("ownerOf", { taskId, user }, this.#signal);
  }

  /** Approvals of this worker's agents. */
  approvals(): ApprovalStore {
    return {
      list: async (filter): Promise<readonly ApprovalRecord[]> =>
        await this.#client.call("listApprovals", filter, this.#signal),
    };
  }

  /** Memories of this worker's agents. What may have been kept is not sent again: it would be kept twice. */
  memories(): TurnMemories {
    return {
      add: async (memories) =>
        await this.#client.call(
          "addMemories",
          {
            memories: memories.map(({ vector, ...memory }) => ({ ...memory, vector: [...vector] })),
          },
          this.#signal,
          { repeat: "never-sent" },
        ),
      search: async ({ vector, ...query }) =>
        await this.#client.call("searchMemories", { ...query, vector: [...vector] }, this.#signal),
    };
  }

  /** Stores what waits until `signal` aborts, then ends every call. May be called again. */
  async close(signal: AbortSignal): Promise<void> {
    await this.#outbox.empty(signal).catch(() => undefined); // what is left is told by the log
    this.#outbox.close();
    this.#closed.abort(new Error("the session store is closed"));
  }

  get #signal(): AbortSignal {
    return this.#closed.signal;
  }

  async #createAgain(
    task: Pick<StoredTask, "id" | "contextId" | "agent" | "user">,
  ): Promise<StoredTask> {
    try {
      return await this.#client.call("createTask", task, this.#signal);
    } catch (error) {
      if (!(error instanceof OwnerMismatchError)) throw error;
      const made = await this.#client.call(
        "getTask",
        { id: task.id, user: task.user },
        this.#signal,
      );
      if (made?.contextId !== task.contextId) throw error;
      return made;
    }
  }

  async #settled(contextId: string): Promise<void> {
    const late = new AbortController();
    const disarm = this.#deps.clock.schedule(SETTLE_MS, () => {
      late.abort(this.#client.awayError("events of the session still wait"));
    });
    try {
      await this.#outbox.settled(contextId, late.signal);
    } finally {
      disarm();
    }
  }
}
