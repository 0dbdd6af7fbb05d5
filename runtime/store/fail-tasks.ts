import type { ExpressionBuilder, Kysely } from "kysely";
import type { TurnError } from "../api/events.ts";
import type { Clock } from "../process/clock.ts";
import { appendEvents, lockSession } from "./append-events.ts";
import { taskOf } from "./session-rows.ts";
import type { StoredTask } from "./session-store.ts";
import type { StoreTables } from "./tables.ts";
import { transact } from "./transact.ts";

/** What ends a task from outside. */
interface FailDeps {
  /** Why. */
  readonly error: TurnError;
  readonly clock: Pick<Clock, "now">;
  readonly newId: () => string;
}

/** As `SessionStore.failOpenTasks`. */
export function failOpenTasks(
  db: Kysely<StoreTables>,
  deps: FailDeps,
): Promise<readonly StoredTask[]> {
  return failTasks(db, { ...deps, silentSince: undefined });
}

/** As `SessionStore.failLostTasks`. */
export async function failLostTasks(
  db: Kysely<StoreTables>,
  silentMs: number,
  deps: FailDeps,
): Promise<readonly StoredTask[]> {
  if (!(silentMs > 0) || !Number.isFinite(silentMs)) {
    throw new RangeError(`failed to fail lost tasks: silence of ${silentMs} ms is none`);
  }
  const silentSince = new Date(deps.clock.now() - silentMs).toISOString();
  const failed = await failTasks(db, { ...deps, silentSince });
  await db.deleteFrom("workers").where("seen_at", "<=", silentSince).execute();
  return failed;
}

interface Failing extends FailDeps {
  /** Time (RFC 3339) of the last sign of life; `undefined`: whatever is open. */
  readonly silentSince: string | undefined;
}

/** One transaction per session: a process killed between two leaves the rest to the next call. */
async function failTasks(
  db: Kysely<StoreTables>,
  failing: Failing,
): Promise<readonly StoredTask[]> {
  const sessions = await db
    .selectFrom("tasks")
    .leftJoin("workers", "workers.id", "tasks.owner_id")
    .select("tasks.context_id")
    .distinct()
    .where((eb) => isLost(eb, failing.silentSince))
    .orderBy("tasks.context_id")
    .execute();
  const failed: StoredTask[] = [];
  for (const { context_id } of sessions) {
    failed.push(...(await failTasksOf(db, context_id, failing)));
  }
  return failed;
}

type Joined = ExpressionBuilder<
  StoreTables & { workers: { [K in keyof StoreTables["workers"]]: string | null } },
  "tasks" | "workers"
>;

function isLost(eb: Joined, silentSince: string | undefined) {
  const open = eb("tasks.state", "in", ["submitted", "working"]);
  if (silentSince === undefined) return open;
  // Without an owner, or with one that is forgotten, the task's own last sign counts.
  const seen = eb.fn.coalesce("workers.seen_at", "tasks.updated_at");
  return eb.and([open, eb(seen, "<=", silentSince)]);
}

async function failTasksOf(
  db: Kysely<StoreTables>,
  contextId: string,
  failing: Failing,
): Promise<readonly StoredTask[]> {
  const { error, silentSince } = failing;
  const now = new Date(failing.clock.now()).toISOString();
  return transact(db, async (tx) => {
    // What is open now is open until this transaction ends.
    await lockSession(tx, contextId);
    const open = await tx
      .selectFrom("tasks")
      .leftJoin("workers", "workers.id", "tasks.owner_id")
      .selectAll("tasks")
      .where("tasks.context_id", "=", contextId)
      .where((eb) => isLost(eb, silentSince))
      .orderBy("tasks.created_at")
      .orderBy("tasks.id")
      .execute();
    const events = open.map((row) => ({
      id: failing.newId(),
      time: now,
      contextId,
      taskId: row.id,
      author: `${row.agent_namespace}/${row.agent_name}`,
      body: { type: "status" as const, state: "failed" as const, error },
    }));
    if (events.length > 0) await appendEvents(tx, { contextId, events, now });
    return open.map((row) =>
      taskOf({ ...row, state: "failed", error: JSON.stringify(error), updated_at: now }),
    );
  });
}
