import type { ObjectRef } from "../../api/names.ts";

/** 20,000 sessions and as many tasks are remembered, some MB; who was used longest ago is forgotten first. */
const MAX_KNOWN = 20_000;

/** Whose a session is: what the store asks for with every write. */
export interface SessionOwner {
  readonly agent: ObjectRef;
  readonly user: string;
}

/** A task and whose it is. */
export interface KnownTask {
  readonly contextId: string;
  readonly user: string;
}

/** What this process has seen of sessions and tasks; both keep their owner for as long as they live. */
export class KnownSessions {
  readonly #sessions = new Map<string, SessionOwner>();
  readonly #tasks = new Map<string, KnownTask>();

  session(id: string): SessionOwner | undefined {
    return used(this.#sessions, id);
  }

  task(id: string): KnownTask | undefined {
    return used(this.#tasks, id);
  }

  addSession(id: string, { agent, user }: SessionOwner): void {
    put(this.#sessions, id, { agent, user });
  }

  addTask(id: string, task: KnownTask & SessionOwner): void {
    put(this.#tasks, id, { contextId: task.contextId, user: task.user });
    this.addSession(task.contextId, task);
  }
}

function used<T>(map: Map<string, T>, id: string): T | undefined {
  const value = map.get(id);
  if (value !== undefined) put(map, id, value);
  return value;
}

function put<T>(map: Map<string, T>, id: string, value: T): void {
  map.delete(id); // back to the end of the map: that is its order of use
  map.set(id, value);
  const oldest = map.keys().next();
  if (map.size > MAX_KNOWN && oldest.done !== true) map.delete(oldest.value);
}
