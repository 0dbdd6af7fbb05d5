import type { Kysely, Transaction } from "kysely";
import { EMBEDDING_DIMENSIONS } from "../api/embedding.ts";
import type { AgentMemory, AgentMemoryStore, NewAgentMemory } from "./agent-memory-store.ts";
import { checkId, checkLimitWithin, checkText } from "./arguments.ts";
import { vectorValue } from "./dialect.ts";
import { inScope, type MemoryScope, nearestMemories } from "./nearest-memories.ts";
import type { StoreDeps } from "./sessions.ts";
import type { AgentMemoriesTable, StoreTables } from "./tables.ts";
import { transact } from "./transact.ts";

/** 32 Ki characters per memory; more is a document, and would fill a model's context. */
const MAX_CONTENT_LENGTH = 32_768;
/** 16 Ki characters of JSON. */
const MAX_METADATA_LENGTH = 16_384;
/** 10,000 memories per agent and user bound what a search may cost; the oldest are forgotten. */
const MAX_PER_SCOPE = 10_000;
/** 2000 memories are compared in some 15 ms. */
const COMPARED_UP_TO = 2000;
const MAX_LISTED = 1000;
/** 100 rows of 10 values per statement, some 1 MB as Postgres reads vectors. */
const ROWS_PER_INSERT = 100;
/** 500 expired memories per transaction: others get their turn in between. */
const PRUNED_AT_ONCE = 500;
/** A memory found this often lives on (kagent-api section 2.6). */
const ACCESSES_TO_EXTEND = 10;
const EXTENSION_MS = 15 * 86_400_000;
const DAY_MS = 86_400_000;
/** 100 years. */
const MAX_TTL_DAYS = 36_500;

/** What {@link agentMemoryStore} stands on. */
export interface AgentMemoryDeps extends StoreDeps {
  /** Most memories kept for an agent and a user; 10,000 unless set. */
  readonly maxPerScope?: number;
  /** Size of a scope from which Postgres may use its index; 2000 unless set. */
  readonly comparedUpTo?: number;
}

/** Memories of agents in a database that `migrate` has prepared. */
export function agentMemoryStore(db: Kysely<StoreTables>, deps: AgentMemoryDeps): AgentMemoryStore {
  const now = () => new Date(deps.clock.now()).toISOString();
  return {
    add: (memories) => add(db, memories, deps),
    search: (query) => search(db, query, { ...deps, now: now() }),
    list: (query) => list(db, query, now()),
    async deleteAll({ agent, user }) {
      const { numDeletedRows } = await db
        .deleteFrom("agent_memories")
        .where("agent_namespace", "=", agent.namespace)
        .where("agent_name", "=", agent.name)
        .where("user_id", "=", user)
        .executeTakeFirstOrThrow();
      return Number(numDeletedRows);
    },
    prune: () => prune(db, now()),
  };
}

async function add(
  db: Kysely<StoreTables>,
  memories: readonly NewAgentMemory[],
  deps: AgentMemoryDeps,
): Promise<readonly AgentMemory[]> {
  const { clock, newId, maxPerScope = MAX_PER_SCOPE } = deps;
  const now = clock.now();
  const made = memories.map((memory) => ({
    row: rowOf(memory, newId(), now),
    vector: normalised(memory.vector),
  }));
  await transact(db, async (tx) => {
    for (let start = 0; start < made.length; start += ROWS_PER_INSERT) {
      const values = made
        .slice(start, start + ROWS_PER_INSERT)
        .map(({ row, vector }) => ({ ...row, vector: vectorValue(tx, vector) }));
      await tx.insertInto("agent_memories").values(values).execute();
    }
    for (const scope of scopesOf(memories)) await forget(tx, scope, maxPerScope);
  });
  return made.map(({ row }) => memoryOf(row));
}

type Row = Omit<AgentMemoriesTable, "vector">;

function rowOf(memory: NewAgentMemory, id: string, now: number): Row {
  const { agent, user, ttlDays, metadata } = memory;
  if (!(ttlDays > 0 && ttlDays <= MAX_TTL_DAYS)) {
    throw new RangeError(
      `failed to store memory: ${ttlDays} is not within 0 to ${MAX_TTL_DAYS} days`,
    );
  }
  const json = metadata === undefined ? null : JSON.stringify(metadata);
  if (json !== null && json.length > MAX_METADATA_LENGTH) {
    throw new RangeError(
      `failed to store memory: its metadata is over ${MAX_METADATA_LENGTH} characters`,
    );
  }
  return {
    id,
    agent_namespace: checkId("namespace", agent.namespace),
    agent_name: checkId("agent", agent.name),
    user_id: checkId("user", user),
    content: checkText("memory", memory.content, MAX_CONTENT_LENGTH),
    metadata: json,
    created_at: new Date(now).toISOString(),
    expires_at: new Date(now + ttlDays * DAY_MS).toISOString(),
    access_count: 0,
  };
}

/** A vector of length 1 in its direction. @throws RangeError when it has another size, or no direction. */
function normalised(vector: readonly number[]): Float32Array {
  const length = Math.hypot(...vector);
  if (vector.length !== EMBEDDING_DIMENSIONS || !(length > 0) || !Number.isFinite(length)) {
    throw new RangeError(
      `failed to use embedding: ${EMBEDDING_DIMENSIONS} finite numbers, not all 0, are needed`,
    );
  }
  return Float32Array.from(vector, (value) => value / length);
}

function scopesOf(memories: readonly NewAgentMemory[]): Iterable<Omit<MemoryScope, "now">> {
  const scopes = new Map<string, Omit<MemoryScope, "now">>();
  for (const { agent, user } of memories) {
    scopes.set(JSON.stringify([agent.namespace, agent.name, user]), { agent, user });
  }
  return scopes.values();
}

/** Deletes the oldest memories of a scope beyond `kept`. */
async function forget(
  tx: Transaction<StoreTables>,
  { agent, user }: Omit<MemoryScope, "now">,
  kept: number,
): Promise<void> {
  const surplus = await tx
    .selectFrom("agent_memories")
    .select("id")
    .where("agent_namespace", "=", agent.namespace)
    .where("agent_name", "=", agent.name)
    .where("user_id", "=", user)
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(PRUNED_AT_ONCE)
    .offset(kept)
    .execute();
  await deleteMemories(tx, surplus);
}

async function search(
  db: Kysely<StoreTables>,
  query: Parameters<AgentMemoryStore["search"]>[0],
  deps: Pick<AgentMemoryDeps, "comparedUpTo"> & { readonly now: string },
): Promise<readonly (AgentMemory & { readonly score: number })[]> {
  const { agent, user, minScore = -1 } = query;
  const { now, comparedUpTo = COMPARED_UP_TO } = deps;
  const limit = checkLimitWithin(query.limit, MAX_LISTED);
  const vector = normalised(query.vector);
  return transact(db, async (tx) => {
    const near = await nearestMemories(tx, { agent, user, now }, { vector, limit, comparedUpTo });
    // Rounding makes a perfect match 0.9999999.
    const scores = new Map(
      near.filter(({ score }) => score >= minScore - 1e-6).map(({ id, score }) => [id, score]),
    );
    const found = await countAccess(tx, [...scores.keys()]);
    return found
      .map((row) => ({ ...memoryOf(row), score: scores.get(row.id) ?? -1 }))
      .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
  });
}

/** Counts an access to each; the tenth makes one live longer. */
async function countAccess(
  tx: Transaction<StoreTables>,
  ids: readonly string[],
): Promise<readonly Row[]> {
  if (ids.length === 0) return [];
  const rows = await tx
    .updateTable("agent_memories")
    .set((eb) => ({ access_count: eb("access_count", "+", 1) }))
    .where("id", "in", ids)
    .returning(COLUMNS)
    .execute();
  const counted: Row[] = [];
  for (const row of rows) {
    if (row.access_count !== ACCESSES_TO_EXTEND) {
      counted.push(row);
      continue;
    }
    const expires_at = new Date(Date.parse(row.expires_at) + EXTENSION_MS).toISOString();
    await tx.updateTable("agent_memories").set({ expires_at }).where("id", "=", row.id).execute();
    counted.push({ ...row, expires_at });
  }
  return counted;
}

const COLUMNS = [
  "id",
  "agent_namespace",
  "agent_name",
  "user_id",
  "content",
  "metadata",
  "created_at",
  "expires_at",
  "access_count",
] as const satisfies readonly (keyof Row)[];

async function list(
  db: Kysely<StoreTables>,
  query: Parameters<AgentMemoryStore["list"]>[0],
  now: string,
): Promise<readonly AgentMemory[]> {
  const { agent, user } = query;
  const rows = await db
    .selectFrom("agent_memories")
    .select(COLUMNS)
    .where((eb) => inScope(eb, { agent, user, now }))
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(checkLimitWithin(query.limit, MAX_LISTED))
    .execute();
  return rows.map(memoryOf);
}

async function prune(db: Kysely<StoreTables>, now: string): Promise<number> {
  let pruned = 0;
  for (;;) {
    const deleted = await transact(db, async (tx) => {
      const expired = await tx
        .selectFrom("agent_memories")
        .select("id")
        .where("expires_at", "<=", now)
        .orderBy("expires_at")
        .limit(PRUNED_AT_ONCE)
        .execute();
      return deleteMemories(tx, expired);
    });
    if (deleted === 0) return pruned;
    pruned += deleted;
  }
}

async function deleteMemories(
  tx: Transaction<StoreTables>,
  memories: readonly { readonly id: string }[],
): Promise<number> {
  if (memories.length === 0) return 0;
  const ids = memories.map(({ id }) => id);
  const { numDeletedRows } = await tx
    .deleteFrom("agent_memories")
    .where("id", "in", ids)
    .executeTakeFirstOrThrow();
  return Number(numDeletedRows);
}

function memoryOf(row: Row): AgentMemory {
  return {
    id: row.id,
    content: row.content,
    // Written by this store alone, from an object.
    ...(row.metadata === null
      ? {}
      : { metadata: JSON.parse(row.metadata) as Readonly<Record<string, unknown>> }),
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    accessCount: row.access_count,
  };
}
