import type { Kysely, Transaction } from "kysely";
import { checkId, checkLimit, checkText } from "./arguments.ts";
import type { Memory, MemoryStore } from "./session-store.ts";
import type { StoreDeps } from "./sessions.ts";
import type { MemoriesTable, StoreTables } from "./tables.ts";
import { transact } from "./transact.ts";
import { wordsOf } from "./words.ts";

/** 10,000 UTF-16 units per memory: some pages; more is a document, and would fill a model's context. */
const MAX_CONTENT_LENGTH = 10_000;
/** 10,000 memories per user bound what a search may cost; raise with `maxPerUser`. */
const MAX_PER_USER = 10_000;
/** 64 words of a question: enough for some sentences. */
const MAX_QUERY_WORDS = 64;
/** 10,000 entries read per search, some 20 ms; the rarest words of the question come first. */
const MAX_ENTRIES_READ = 10_000;
/** 1000 rows of 4 values per statement; SQLite binds 32,766 values. */
const ROWS_PER_INSERT = 1000;

/** What {@link memoryStore} stands on. */
export interface MemoryDeps extends StoreDeps {
  /** Most memories kept for a user; 10,000 unless set. */
  readonly maxPerUser?: number;
}

/** Memories in a database that `migrate` has prepared. */
export function memoryStore(db: Kysely<StoreTables>, deps: MemoryDeps): MemoryStore {
  const { clock, newId, maxPerUser = MAX_PER_USER } = deps;
  return {
    async addMemory({ user, content }) {
      checkId("user", user);
      const memory = {
        id: newId(),
        content: checkText("memory", content, MAX_CONTENT_LENGTH),
        createdAt: new Date(clock.now()).toISOString(),
      };
      await transact(db, async (tx) => {
        await add(tx, user, memory);
        await forget(tx, user, maxPerUser);
      });
      return memory;
    },
    searchMemories: (query) => search(db, query),
    listMemories: (query) => list(db, query),
  };
}

async function add(tx: Transaction<StoreTables>, user: string, memory: Memory): Promise<void> {
  const { newest } = await tx
    .selectFrom("memories")
    .select((eb) => eb.fn.max("seq").as("newest"))
    .where("user_id", "=", user)
    .executeTakeFirstOrThrow();
  const seq = newest + 1; // `max` of no rows is null, which counts as 0
  const row = { id: memory.id, user_id: user, seq };
  await tx
    .insertInto("memories")
    .values({ ...row, content: memory.content, created_at: memory.createdAt })
    .execute();
  const words = wordsOf(memory.content);
  for (let start = 0; start < words.length; start += ROWS_PER_INSERT) {
    const chunk = words.slice(start, start + ROWS_PER_INSERT);
    await tx
      .insertInto("memory_words")
      .values(chunk.map((word) => ({ user_id: user, word, memory_id: memory.id, seq })))
      .execute();
  }
}

/** One too many at a time; several where processes add at once. */
const SURPLUS = 10;

/** Deletes the oldest memories beyond `kept`. */
async function forget(tx: Transaction<StoreTables>, user: string, kept: number): Promise<void> {
  const surplus = await tx
    .selectFrom("memories")
    .select("id")
    .where("user_id", "=", user)
    .orderBy("seq", "desc")
    .orderBy("id", "desc")
    .limit(SURPLUS)
    .offset(kept)
    .execute();
  for (const { id } of surplus) await tx.deleteFrom("memories").where("id", "=", id).execute();
}

async function list(
  db: Kysely<StoreTables>,
  query: { readonly user: string; readonly limit: number },
): Promise<readonly Memory[]> {
  const rows = await db
    .selectFrom("memories")
    .selectAll()
    .where("user_id", "=", query.user)
    .orderBy("seq", "desc")
    .orderBy("id", "desc")
    .limit(checkLimit(query.limit))
    .execute();
  return rows.map(memoryOf);
}

function memoryOf(row: MemoriesTable): Memory {
  return { id: row.id, content: row.content, createdAt: row.created_at };
}

interface Query {
  readonly user: string;
  readonly text: string;
  readonly limit: number;
}

async function search(db: Kysely<StoreTables>, query: Query): Promise<readonly Memory[]> {
  const limit = checkLimit(query.limit);
  const words = wordsOf(query.text.slice(0, MAX_CONTENT_LENGTH)).slice(0, MAX_QUERY_WORDS);
  const weights = await weightsOf(db, query.user, words);
  if (weights.size === 0) return [];
  const best = (await scores(db, query.user, weights)).slice(0, limit);
  const ids = best.map(({ id }) => id);
  if (ids.length === 0) return [];
  const rows = await db.selectFrom("memories").selectAll().where("id", "in", ids).execute();
  const byId = new Map(rows.map((row) => [row.id, memoryOf(row)]));
  return ids.flatMap((id) => byId.get(id) ?? []);
}

/**
 * What a word in common counts: `ln(1 + memories / memories with it)`, so that a name outweighs an
 * article. Only words that some memory has, rarest first, up to {@link MAX_ENTRIES_READ} entries: the
 * words beyond are the commonest and would hardly change the order.
 */
async function weightsOf(
  db: Kysely<StoreTables>,
  user: string,
  words: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (words.length === 0) return new Map();
  const { all } = await db
    .selectFrom("memories")
    .select((eb) => eb.fn.countAll().as("all"))
    .where("user_id", "=", user)
    .executeTakeFirstOrThrow();
  const counts = await db
    .selectFrom("memory_words")
    .select((eb) => ["word", eb.fn.countAll().as("memories")])
    .where("user_id", "=", user)
    .where("word", "in", words)
    .groupBy("word")
    .execute();
  const weights = new Map<string, number>();
  let entries = 0;
  for (const { word, memories } of counts.sort((a, b) => Number(a.memories) - Number(b.memories))) {
    entries += Number(memories);
    if (weights.size > 0 && entries > MAX_ENTRIES_READ) break;
    weights.set(word, Math.log(1 + Number(all) / Number(memories)));
  }
  return weights;
}

/** Memories with a word of `weights`, best first; of equals the newest first. */
async function scores(
  db: Kysely<StoreTables>,
  user: string,
  weights: ReadonlyMap<string, number>,
): Promise<readonly { readonly id: string }[]> {
  const rows = await db
    .selectFrom("memory_words")
    .select(["memory_id", "word", "seq"])
    .where("user_id", "=", user)
    .where("word", "in", [...weights.keys()])
    .execute();
  const found = new Map<string, { readonly id: string; readonly seq: number; score: number }>();
  for (const { memory_id: id, word, seq } of rows) {
    const memory = found.get(id) ?? { id, seq, score: 0 };
    memory.score += weights.get(word) ?? 0;
    found.set(id, memory);
  }
  return [...found.values()].sort((a, b) => b.score - a.score || b.seq - a.seq);
}
