import type { ObjectRef } from "../api/names.ts";

export { EMBEDDING_DIMENSIONS } from "../api/embedding.ts";

/** Something an agent remembers about a user. */
export interface AgentMemory {
  readonly id: string;
  readonly content: string;
  /** Free data of whoever saved it. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** RFC 3339. */
  readonly createdAt: string;
  /** RFC 3339; from then on it is absent. Moves 15 days on once it was found ten times. */
  readonly expiresAt: string;
  /** How often a search found it. */
  readonly accessCount: number;
}

/** A memory before it is stored. */
export interface NewAgentMemory {
  readonly agent: ObjectRef;
  readonly user: string;
  readonly content: string;
  /** {@link EMBEDDING_DIMENSIONS} finite numbers; normalised by the store. */
  readonly vector: readonly number[];
  readonly ttlDays: number;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** Memories of agents, found by meaning; scoped by agent and user. */
export interface AgentMemoryStore {
  /** Keeps memories, all or none. @throws RangeError for a vector of another size or without length. */
  add(memories: readonly NewAgentMemory[]): Promise<readonly AgentMemory[]>;
  /** Nearest first by cosine; those below `minScore` (-1..1) are left out. Counts as an access. */
  search(query: {
    readonly agent: ObjectRef;
    readonly user: string;
    readonly vector: readonly number[];
    readonly limit: number;
    readonly minScore?: number;
  }): Promise<readonly (AgentMemory & { readonly score: number })[]>;
  /** Newest first. */
  list(query: {
    readonly agent: ObjectRef;
    readonly user: string;
    readonly limit: number;
  }): Promise<readonly AgentMemory[]>;
  /** @returns How many were forgotten. */
  deleteAll(query: { readonly agent: ObjectRef; readonly user: string }): Promise<number>;
  /** Deletes what has expired. @returns How many. */
  prune(): Promise<number>;
}
