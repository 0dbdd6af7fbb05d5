import { type Event, isTerminal, type NewEvent } from "../../../runtime/api/events.ts";
import { refKey } from "../../../runtime/api/names.ts";
import {
  OwnerMismatchError,
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

  async deleteSession(id: string, user: string): Promise<boolean> {
    if (this.#sessions.get(id)?.user !== user) return false;
    for (const session of [...this.#sessions.values()]) {
      const below =
        session.rootContextId === id && session.source === "agent" && session.user === user;
      if (session.id !== id && !below) continue;
      this.#sessions.delete(session.id);
      this.#events.delete(session.id);
      for (const task of [...this.#tasks.values()]) {
        if (task.contextId === session.id) this.#tasks.delete(task.id);
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
    const used = new Set([...this.#events.values()].flat().map(({ id }) => id));
    for (const { id } of events) {
      if (used.has(id)) throw new RangeError();
      used.add(id);
    }
    const moved = this.#moved(contextId, events);
    for (const task of moved) this.#tasks.set(task.id, task);
    const log = this.#events.get(contextId)!;
    const first = log.length + 1;
    const added = events.map((event, index) => ({ ...event, seq: first + index }));
    log.push(...structuredClone(added));
    this.#sessions.set(contextId, { ...session, updatedAt: this.#now() });
    return added;
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

  async failOpenTasks(error: StoredTask["error"] & object): Promise<readonly StoredTask[]> {
    const open = [...this.#tasks.values()]
      .filter(({ state }) => state === "submitted" || state === "working")
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
