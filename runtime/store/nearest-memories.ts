import { type ExpressionBuilder, type Kysely, sql, type Transaction } from "kysely";
import type { ObjectRef } from "../api/names.ts";
import { isPostgres, vectorText } from "./dialect.ts";
import type { StoreTables } from "./tables.ts";

/** Whose memories, at which time. */
export interface MemoryScope {
  readonly agent: ObjectRef;
  readonly user: string;
  /** RFC 3339; what expires at or before it is absent. */
  readonly now: string;
}

/** A memory and how near it is. */
export interface NearMemory {
  readonly id: string;
  /** Cosine, -1 to 1. */
  readonly score: number;
}

/** 400 nearest of everybody (pgvector takes up to 1000), so that enough of one scope are among them. */
const CANDIDATES = "400";

/** What to look for. */
export interface NearQuery {
  /** Of length 1. */
  readonly vector: Float32Array;
  readonly limit: number;
  /**
   * Postgres: size up to which all memories of a scope are compared. The index knows no scopes: it gives the nearest
   * of everybody, of which those of others are then left out.
   */
  readonly comparedUpTo: number;
}

/** Condition of a scope. */
export function inScope(eb: ExpressionBuilder<StoreTables, "agent_memories">, scope: MemoryScope) {
  return eb.and([
    eb("agent_namespace", "=", scope.agent.namespace),
    eb("agent_name", "=", scope.agent.name),
    eb("user_id", "=", scope.user),
    eb("expires_at", ">", scope.now),
  ]);
}

/** The `limit` memories of a scope nearest to a vector, nearest first. */
export async function nearestMemories(
  db: Transaction<StoreTables>,
  scope: MemoryScope,
  query: NearQuery,
): Promise<readonly NearMemory[]> {
  if (!isPostgres(db)) return compared(db, scope, query);
  const { size } = await db
    .selectFrom((eb) =>
      eb
        .selectFrom("agent_memories")
        .select("id")
        .where((of) => inScope(of, scope))
        .limit(query.comparedUpTo + 1)
        .as("own"),
    )
    .select((eb) => eb.fn.countAll().as("size"))
    .executeTakeFirstOrThrow();
  if (Number(size) > query.comparedUpTo) {
    const near = await indexed(db, scope, query);
    // Fewer than wanted: the nearest of everybody were mostly those of others.
    if (near.length === query.limit) return near;
  }
  return exact(db, scope, query);
}

/** Postgres: by the HNSW index, where the planner takes it. */
async function indexed(
  db: Transaction<StoreTables>,
  scope: MemoryScope,
  { vector, limit }: NearQuery,
): Promise<readonly NearMemory[]> {
  await sql`select set_config('hnsw.ef_search', ${CANDIDATES}, true)`.execute(db);
  const distance = sql<number>`vector <=> ${vectorText(vector)}::vector`;
  const rows = await db
    .selectFrom("agent_memories")
    .select(["id", distance.as("distance")])
    .where((eb) => inScope(eb, scope))
    .orderBy(distance)
    .limit(limit)
    .execute();
  return rows.map(({ id, distance: far }) => ({ id, score: 1 - far }));
}

/** Postgres: all of the scope. `materialized` keeps the planner from taking the index for it. */
async function exact(
  db: Transaction<StoreTables>,
  scope: MemoryScope,
  { vector, limit }: NearQuery,
): Promise<readonly NearMemory[]> {
  const distance = sql<number>`vector <=> ${vectorText(vector)}::vector`;
  const rows = await db
    .with(
      (cte) => cte("own").materialized(),
      (eb) =>
        eb
          .selectFrom("agent_memories")
          .select(["id", distance.as("distance")])
          .where((of) => inScope(of, scope)),
    )
    .selectFrom("own")
    .select(["id", "distance"])
    .orderBy("distance")
    .orderBy("id")
    .limit(limit)
    .execute();
  return rows.map(({ id, distance: far }) => ({ id, score: 1 - far }));
}

/** SQLite: all of the scope, in this process. */
async function compared(
  db: Kysely<StoreTables>,
  scope: MemoryScope,
  { vector, limit }: NearQuery,
): Promise<readonly NearMemory[]> {
  const rows = await db
    .selectFrom("agent_memories")
    .select(["id", "vector"])
    .where((eb) => inScope(eb, scope))
    .execute();
  return rows
    .map(({ id, vector: bytes }) => ({ id, score: dot(vector, numbersOf(bytes)) }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .slice(0, limit);
}

function numbersOf(bytes: Uint8Array): Float32Array {
  // Numbers of four bytes must lie at multiples of four; a copy starts at 0.
  const { buffer, byteOffset, byteLength } = byteOffsetFits(bytes) ? bytes : bytes.slice();
  return new Float32Array(buffer, byteOffset, byteLength / Float32Array.BYTES_PER_ELEMENT);
}

function byteOffsetFits({ byteOffset }: Uint8Array): boolean {
  return byteOffset % Float32Array.BYTES_PER_ELEMENT === 0;
}

/** Cosine of vectors of length 1. */
function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  // An iterator would take ten times as long.
  for (let index = 0; index < a.length; index++) sum += (a[index] ?? 0) * (b[index] ?? 0);
  return sum;
}
