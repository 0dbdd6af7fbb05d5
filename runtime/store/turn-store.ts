import type { AgentMemoryStore } from "./agent-memory-store.ts";
import type { SessionStore } from "./session-store.ts";

/**
 * What runs tasks needs of the session store: the same in one process with it and behind the controller's HTTP
 * (decisions 14). `failOpenTasks` is absent where other processes run tasks too: the leader looks after theirs.
 */
export type TurnStore = Pick<
  SessionStore,
  | "ensureSession"
  | "getSession"
  | "createTask"
  | "getTask"
  | "listTasks"
  | "append"
  | "events"
  | "heartbeat"
  | "claimTask"
  | "ownerOf"
> &
  Partial<Pick<SessionStore, "failOpenTasks">>;

/** What turns need of the agents' memories; lists and pruning are the business of whoever holds the store. */
export type TurnMemories = Pick<AgentMemoryStore, "add" | "search">;
