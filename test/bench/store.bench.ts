import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { NewEvent } from "../../runtime/api/events.ts";
import { openStore, type Store } from "../../runtime/store/open-store.ts";
import { startPostgres } from "../cluster/postgres.ts";
import { MissingPostgresError } from "../cluster/postgres-install.ts";
import type { Figure } from "./figure.ts";

/** Events of a turn that a worker writes together. */
const BATCH = 10;
const WARM_UP_MS = 300;
const MEASURED_MS = 2_000;
/** Sessions that are written at the same time. */
const SESSIONS = 8;
const START_MS = 360_000;

/** Events appended per second: to a file, and to a Postgres where one is at hand. */
export async function* storeBench(): AsyncGenerator<Figure, void, void> {
  const folder = await mkdtemp(join(tmpdir(), "store-bench-"));
  try {
    yield* figures("SQLite", await openStore({ path: join(folder, "store.db") }));
  } finally {
    await rm(folder, { recursive: true });
  }
  yield* postgresFigures();
}

async function* postgresFigures(): AsyncGenerator<Figure, void, void> {
  const named = process.env["KAGENT_BENCH_POSTGRES_URL"];
  if (named !== undefined) {
    yield* figures("Postgres", await openStore({ url: named }));
    return;
  }
  try {
    const server = await startPostgres(AbortSignal.timeout(START_MS));
    try {
      yield* figures("Postgres, no fsync", await openStore({ url: server.url() }));
    } finally {
      await server.stop();
    }
  } catch (error) {
    if (!(error instanceof MissingPostgresError)) throw error;
    process.stderr.write(`bench store: no Postgres at hand: ${error.message}\n`);
  }
}

async function* figures(name: string, store: Store): AsyncGenerator<Figure, void, void> {
  try {
    for (const [sessions, batch] of [
      [1, 1],
      [1, BATCH],
      [SESSIONS, BATCH],
    ] as const) {
      await perSecond(store, sessions, batch, WARM_UP_MS);
      yield {
        bench: "store",
        scenario: `${name}: events appended, ${batch} at a time, sessions ${sessions}`,
        unit: "1/s",
        ours: await perSecond(store, sessions, batch, MEASURED_MS),
      };
    }
  } finally {
    await store.close();
  }
}

/** Events per second over `ms` milliseconds; each session appends one batch after the other. */
async function perSecond(
  store: Store,
  sessions: number,
  batch: number,
  ms: number,
): Promise<number> {
  const started = performance.now();
  const counts = await Promise.all(
    Array.from({ length: sessions }, async () => {
      const id = crypto.randomUUID();
      const owned = { agent: { namespace: "kagent", name: "bench" }, user: "bench" };
      const root = { source: "user", rootContextId: id } as const;
      await store.sessions.ensureSession({ id, ...owned, name: "bench", ...root });
      let count = 0;
      for (; performance.now() - started < ms; count += batch) {
        await store.sessions.append(id, events(id, batch));
      }
      await store.sessions.deleteSession(id, owned.user);
      return count;
    }),
  );
  return (counts.reduce((sum, count) => sum + count, 0) / ms) * 1000;
}

function events(contextId: string, count: number): readonly NewEvent[] {
  const time = new Date().toISOString();
  return Array.from({ length: count }, () => ({
    id: crypto.randomUUID(),
    time,
    contextId,
    taskId: "bench",
    author: "kagent/bench",
    body: { type: "message", role: "agent", parts: [{ text: "x".repeat(200) }] } as const,
  }));
}
