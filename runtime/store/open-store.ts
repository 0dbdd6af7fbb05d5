import { randomUUID } from "node:crypto";
import type { Kysely } from "kysely";
import { type Clock, systemClock } from "../process/clock.ts";
import { agentMemoryStore } from "./agent-memories.ts";
import type { AgentMemoryStore } from "./agent-memory-store.ts";
import type { ApprovalStore } from "./approval-store.ts";
import { approvalStore } from "./approvals.ts";
import { pruneSessions } from "./delete-sessions.ts";
import { feedbackStore } from "./feedback.ts";
import type { FeedbackStore } from "./feedback-store.ts";
import { Gate } from "./gate.ts";
import { memoryStore } from "./memories.ts";
import { migrate, NewerDatabaseError } from "./migrate.ts";
import { type DatabaseOptions, openDatabase } from "./open-database.ts";
import { postgresAddress } from "./postgres-dialect.ts";
import type { ReportStore } from "./report-store.ts";
import { reportStore } from "./reports.ts";
import type { MemoryStore, SessionStore } from "./session-store.ts";
import { sessionStore } from "./sessions.ts";
import type { ShareStore } from "./share-store.ts";
import { shareStore } from "./shares.ts";
import { StoreDatabaseError } from "./store-database-error.ts";
import { StoreFileError } from "./store-file-error.ts";
import type { StoreTables } from "./tables.ts";

/** Which store, and what it stands on. */
export interface OpenStoreOptions extends DatabaseOptions {
  /** The machine's clock unless set. */
  readonly clock?: Pick<Clock, "now">;
  /** Random UUIDs unless set. */
  readonly newId?: () => string;
}

/** An open store. */
export interface Store {
  readonly sessions: SessionStore;
  readonly memories: MemoryStore;
  readonly approvals: ApprovalStore;
  readonly agentMemories: AgentMemoryStore;
  readonly reports: ReportStore;
  readonly feedback: FeedbackStore;
  readonly shares: ShareStore;
  /**
   * Deletes sessions that nobody used for so many days (SESSION_RETENTION_DAYS), some at a time; records of
   * approvals stay.
   *
   * @returns How many.
   * @throws RangeError for a number that is not above 0.
   */
  prune(olderThanDays: number): Promise<number>;
  /** Closes all of them; waits for the calls before it, those after it are refused. May be called again. */
  close(): Promise<void>;
}

/** 10 minutes per statement: a new index on years of events. */
const MIGRATION_STATEMENT_MS = 600_000;

/**
 * Opens a store and brings its tables to the newest form.
 *
 * A file is for this process alone; a Postgres database may be open in many, also while they start.
 *
 * @throws StoreFileError when another process uses the file, when it is damaged, written by a newer
 *   version, or when it cannot be read and written.
 * @throws StoreDatabaseError when the database cannot be reached or used, or was written by a newer version.
 * @throws PostgresUrlError for an address that is none.
 */
export async function openStore(options: OpenStoreOptions): Promise<Store> {
  const { clock = systemClock, newId = randomUUID } = options;
  const db = await openDatabase(options);
  try {
    await bringUp(db, options);
  } catch (error) {
    await db.destroy();
    throw error;
  }
  const deps = { clock, newId };
  const gate = new Gate();
  const close = () => gate.close(() => db.destroy());
  return {
    sessions: { ...gate.guard(sessionStore(db, deps)), close },
    memories: gate.guard(memoryStore(db, deps)),
    approvals: gate.guard(approvalStore(db)),
    agentMemories: gate.guard(agentMemoryStore(db, deps)),
    reports: gate.guard(reportStore(db, deps)),
    feedback: gate.guard(feedbackStore(db, deps)),
    shares: gate.guard(shareStore(db, deps)),
    ...gate.guard({ prune: (days: number) => pruneSessions(db, days, clock.now()) }),
    close,
  };
}

async function bringUp(db: Kysely<StoreTables>, options: DatabaseOptions): Promise<void> {
  const { url, path = "" } = options;
  if (url === undefined) {
    await migrateOr(db, (cause) => new StoreFileError(path, "newer", { cause }));
    return;
  }
  // Connections of its own: statements may take longer, and it holds a lock while it runs.
  const migrating = await openDatabase({
    url,
    maxConnections: 2,
    statementTimeoutMs: MIGRATION_STATEMENT_MS,
  });
  try {
    const newer = (cause: Error) =>
      new StoreDatabaseError(postgresAddress(url), "newer", { cause });
    await migrateOr(migrating, newer);
  } finally {
    await migrating.destroy();
  }
}

async function migrateOr(db: Kysely<StoreTables>, newer: (cause: Error) => Error): Promise<void> {
  try {
    await migrate(db);
  } catch (error) {
    throw error instanceof NewerDatabaseError ? newer(error) : error;
  }
}
