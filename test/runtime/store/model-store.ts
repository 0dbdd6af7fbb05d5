import { isDeepStrictEqual } from "node:util";
import {
  type Event,
  isTerminal,
  type NewEvent,
  type TurnError,
} from "../../../runtime/api/events.ts";
import { refKey } from "../../../runtime/api/names.ts";
import {
  OwnerMismatchError,
  type RunOwner,
  type Session,
  type SessionStore,
  type StoredTask,
  TaskOverError,
  type TaskQuery,
  UnknownIdError,
} from "../../../runtime/store/session-store.ts";
import type { StoreDeps } from "../../../runtime/store/sessions.ts";

/**
 * The plainest store one can write, as a model of what the real ones must do.
 *
 * Hostile ids and page tokens are no concern of it.
 */
export class ModelStore implements SessionStore {
  readonly #deps: StoreDeps;
  readonly #sessions = new Map<string, Session>();
  readonly #tasks = new Map<string, StoredTask>();
  readonly #events = new Map<string, Event[]>();
  readonly #workers = new Map<string, { readonly url: string; readonly seenAt: number }>();
  readonly #owners = new Map<string, string>();

  constructor(deps: StoreDeps) {
    this.#deps = deps;
  }

  async ensureSession(session: Parameters<SessionStore["ensureSession"]>[0]): Promise<Session> {
    if (!this.#sessions.has(session.id)) {
      const now = this.#now();
      this.#sessions.set(session.id, { ...session, createdAt: now, updatedAt: now });
      this.#events.set(session.id, []);
    }
    return this.#owned(session.id, session);
  }

  async getSession(id: string, user: string): Promise<Session | undefined> {
    const session = this.#sessions.get(id);
    return session?.user === user ? structuredClone(session) : undefined;
  }

  async listSessions(filter: Parameters<SessionStore["listSessions"]>[0]) {
    const { user, agent, limit } = filter;
    return [...this.#sessions.values()]
      .filter((session) => session.user === user && session.source === "user")
      .filter((session) => agent === undefined || refKey(session.agent) === refKey(agent))
      .sort(lastUpdatedFirst)
      .slice(0, limit)
      .map((session) => structuredClone(session));
  }

  async updateSession(id: string, user: string, { name }: { readonly name: string }) {
    const session = this.#sessions.get(id);
    if (session?.user !== user) return undefined;
    this.#sessions.set(id, { ...session, name });
    return this.getSession(id, user);
  }

  async deleteSession(id: string, user: string): Promise<boolean> {
    if (this.#sessions.get(id)?.user !== user) return false;
    for (const session of [...this.#sessions.values()]) {
      const below =
        session.rootContextId === id && session.source === "agent" && session.user === user;
      if (session.id !== id && !below) continue;
      this.#sessions.delete(session.id);
      this.#events.delete(session.id);
      for (const task of [...this.#tasks.values()]) {
        if (task.contextId !== session.id) continue;
        this.#tasks.delete(task.id);
        this.#owners.delete(task.id);
      }
    }
    return true;
  }

  async createTask(task: Parameters<SessionStore["createTask"]>[0]): Promise<StoredTask> {
    this.#owned(task.contextId, task);
    if (this.#tasks.has(task.id)) throw new OwnerMismatchError();
    const now = this.#now();
    const made: StoredTask = { ...task, state: "submitted", createdAt: now, updatedAt: now };
    this.#tasks.set(task.id, made);
    return structuredClone(made);
  }

  async getTask(id: string, user: string): Promise<StoredTask | undefined> {
    const task = this.#tasks.get(id);
    return task?.user === user ? structuredClone(task) : undefined;
  }

  async listTasks(query: TaskQuery) {
    const all = [...this.#tasks.values()]
      .filter((task) => task.user === query.user && refKey(task.agent) === refKey(query.agent))
      .filter((task) => query.contextId === undefined || task.contextId === query.contextId)
      .filter((task) => query.state === undefined || task.state === query.state)
      .sort(lastUpdatedFirst);
    const place = query.pageToken?.split(" ");
    const rest = all.filter(
      (task) =>
        place === undefined ||
        task.updatedAt < place[0]! ||
        (task.updatedAt === place[0] && task.id < place[1]!),
    );
    const tasks = rest.slice(0, query.pageSize).map((task) => structuredClone(task));
    const last = rest.length > tasks.length ? tasks.at(-1) : undefined;
    return {
      tasks,
      total: all.length,
      ...(last === undefined ? {} : { nextPageToken: `${last.updatedAt} ${last.id}` }),
    };
  }

  async append(contextId: string, events: readonly NewEvent[]): Promise<readonly Event[]> {
    if (events.length === 0) return [];
    if (events.some((event) => event.contextId !== contextId)) throw new RangeError();
    const session = this.#sessions.get(contextId);
    if (session === undefined) throw new UnknownIdError("session", contextId);
    if (new Set(events.map(({ id }) => id)).size < events.length) throw new RangeError();
    const stored = new Map([...this.#events.values()].flat().map((event) => [event.id, event]));
    for (const event of events) {
      const known = stored.get(event.id);
      if (known !== undefined && !isDeepStrictEqual(known, { ...event, seq: known.seq }))
        throw new RangeError();
    }
    const fresh = events.filter(({ id }) => !stored.has(id));
    const moved = this.#moved(contextId, fresh);
    for (const task of moved) this.#tasks.set(task.id, task);
    const log = this.#events.get(contextId)!;
    const first = log.length + 1;
    const added = fresh.map((event, index) => ({ ...event, seq: first + index }));
    log.push(...structuredClone(added));
    if (added.length > 0) this.#sessions.set(contextId, { ...session, updatedAt: this.#now() });
    const all = new Map([...stored, ...added.map((event) => [event.id, event] as const)]);
    return events.map(({ id }) => structuredClone(all.get(id)!));
  }

  async events(contextId: string, user: string, filter: Parameters<SessionStore["events"]>[2]) {
    if (this.#sessions.get(contextId)?.user !== user) return [];
    return this.#events
      .get(contextId)!
      .filter(({ taskId }) => filter?.taskId === undefined || taskId === filter.taskId)
      .filter(({ seq }) => seq > (filter?.afterSeq ?? 0))
      .slice(0, filter?.limit)
      .map((event) => structuredClone(event));
  }

  async failOpenTasks(error: TurnError): Promise<readonly StoredTask[]> {
    return this.#fail(error, () => true);
  }

  async heartbeat(owner: RunOwner): Promise<void> {
    this.#workers.set(owner.id, { url: owner.url, seenAt: this.#deps.clock.now() });
  }

  async claimTask(taskId: string, ownerId: string): Promise<void> {
    if (!this.#tasks.has(taskId)) throw new UnknownIdError("task", taskId);
    if (!this.#workers.has(ownerId)) throw new UnknownIdError("worker", ownerId);
    this.#owners.set(taskId, ownerId);
  }

  async ownerOf(taskId: string, user: string) {
    if (this.#tasks.get(taskId)?.user !== user) return undefined;
    const id = this.#owners.get(taskId);
    const worker = id === undefined ? undefined : this.#workers.get(id);
    if (id === undefined || worker === undefined) return undefined;
    return { id, url: worker.url, silentMs: this.#deps.clock.now() - worker.seenAt };
  }

  async failLostTasks(error: TurnError, silentMs: number): Promise<readonly StoredTask[]> {
    const silentSince = this.#deps.clock.now() - silentMs;
    const failed = await this.#fail(error, (task) => {
      const worker = this.#workers.get(this.#owners.get(task.id) ?? "");
      return (worker?.seenAt ?? Date.parse(task.updatedAt)) <= silentSince;
    });
    for (const [id, { seenAt }] of [...this.#workers]) {
      if (seenAt <= silentSince) this.#workers.delete(id);
    }
    return failed;
  }

  async #fail(
    error: TurnError,
    which: (task: StoredTask) => boolean,
  ): Promise<readonly StoredTask[]> {
    const open = [...this.#tasks.values()]
      .filter(({ state }) => state === "submitted" || state === "working")
      .filter(which)
      .sort(byFailing);
    for (const task of open) {
      await this.append(task.contextId, [
        {
          id: this.#deps.newId(),
          time: this.#now(),
          contextId: task.contextId,
          taskId: task.id,
          author: refKey(task.agent),
          body: { type: "status", state: "failed", error },
        },
      ]);
    }
    return open.map(({ id }) => structuredClone(this.#tasks.get(id)!));
  }

  async close(): Promise<void> {}

  #now(): string {
    return new Date(this.#deps.clock.now()).toISOString();
  }

  #owned(id: string, owner: Pick<Session, "agent" | "user">): Session {
    const session = this.#sessions.get(id);
    if (session === undefined) throw new UnknownIdError("session", id);
    if (session.user !== owner.user || refKey(session.agent) !== refKey(owner.agent)) {
      throw new OwnerMismatchError();
    }
    return structuredClone(session);
  }

  #moved(contextId: string, events: readonly NewEvent[]): Iterable<StoredTask> {
    const moved = new Map<string, StoredTask>();
    for (const { taskId, body } of events) {
      if (body.type !== "status") continue;
      const task = moved.get(taskId) ?? this.#tasks.get(taskId);
      if (task?.contextId !== contextId) throw new UnknownIdError("task", taskId);
      if (isTerminal(task.state)) throw new TaskOverError(taskId, task.state, body.state);
      const { usage = task.usage, error } = body;
      moved.set(taskId, {
        id: taskId,
        contextId,
        agent: task.agent,
        user: task.user,
        state: body.state,
        ...(usage && { usage }),
        ...(error && { error }),
        createdAt: task.createdAt,
        updatedAt: this.#now(),
      });
    }
    return moved.values();
  }
}

interface Dated {
  readonly id: string;
  readonly updatedAt: string;
}

function lastUpdatedFirst(a: Dated, b: Dated): number {
  return -compare(a.updatedAt, b.updatedAt) || -compare(a.id, b.id);
}

function byFailing(a: StoredTask, b: StoredTask): number {
  return (
    compare(a.contextId, b.contextId) || compare(a.createdAt, b.createdAt) || compare(a.id, b.id)
  );
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
