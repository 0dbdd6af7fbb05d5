import { type Kysely, PostgresAdapter, type RawBuilder, sql } from "kysely";
import { EMBEDDING_DIMENSIONS } from "../api/embedding.ts";

/** Whether `db` speaks to Postgres; SQLite otherwise. */
export function isPostgres(db: Pick<Kysely<unknown>, "getExecutor">): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

/**
 * Type of a column of text that is compared or sorted.
 *
 * Byte order on both, whatever the locale of the Postgres database: equal orders, cheap comparisons, and
 * indexes that survive an update of the system's locale data.
 */
export function keyText(db: Kysely<unknown>): RawBuilder<unknown> {
  return isPostgres(db) ? sql`text collate "C"` : sql`text`;
}

/** Makes vectors possible: Postgres needs pgvector. */
export async function prepareVectors(db: Kysely<unknown>): Promise<void> {
  if (isPostgres(db)) await sql`create extension if not exists vector`.execute(db);
}

/** Type of a column of {@link EMBEDDING_DIMENSIONS} numbers. */
export function vectorType(db: Kysely<unknown>): RawBuilder<unknown> {
  return isPostgres(db) ? sql`vector(${sql.lit(EMBEDDING_DIMENSIONS)})` : sql`blob`;
}

/** Index of the column `vector` by cosine; SQLite has none and compares all of a scope. */
export async function vectorIndex(db: Kysely<unknown>, table: string): Promise<void> {
  if (!isPostgres(db)) return;
  const name = sql.id(`${table}_by_meaning`);
  await sql`create index ${name} on ${sql.table(table)} using hnsw (vector vector_cosine_ops)`.execute(
    db,
  );
}

/** A vector as a value of such a column. */
export function vectorValue(
  db: Pick<Kysely<unknown>, "getExecutor">,
  vector: Float32Array,
): RawBuilder<Uint8Array> {
  return isPostgres(db)
    ? sql<Uint8Array>`${vectorText(vector)}::vector`
    : sql<Uint8Array>`${new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength)}`;
}

/** A vector in the words of pgvector. */
export function vectorText(vector: Float32Array): string {
  return `[${vector.join(",")}]`;
}
