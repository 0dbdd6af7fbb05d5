import type { Kysely } from "kysely";
import { DEFAULT_MIGRATION_TABLE, type Migration, Migrator, NO_MIGRATIONS } from "kysely/migration";
import { sessions } from "./migrations/0001-sessions.ts";
import { memories } from "./migrations/0002-memories.ts";
import { workers } from "./migrations/0003-workers.ts";
import { approvals } from "./migrations/0004-approvals.ts";
import { agentMemories } from "./migrations/0005-agent-memories.ts";
import { records } from "./migrations/0006-records.ts";
import { StoreDatabaseError } from "./store-database-error.ts";
import { StoreFileError } from "./store-file-error.ts";
import type { StoreTables } from "./tables.ts";

/** Every migration by name; run in the order of their names and never changed once released. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-sessions": sessions,
  "0002-memories": memories,
  "0003-workers": workers,
  "0004-approvals": approvals,
  "0005-agent-memories": agentMemories,
  "0006-records": records,
};

/** The database holds migrations that this program does not know. */
export class NewerDatabaseError extends Error {
  override readonly name = "NewerDatabaseError";
  /** Names of the unknown migrations, oldest first. */
  readonly migrations: readonly string[];

  constructor(migrations: readonly string[], options?: ErrorOptions) {
    super(
      `failed to migrate store: unknown migrations ${migrations.join(", ")}; a newer version wrote it`,
      options,
    );
    this.migrations = migrations;
  }
}

/** Where to migrate to. */
export interface MigrateOptions {
  /**
   * `latest` (the default), `none`, or the name of the last migration to keep: later ones are undone, and what
   * they stored is gone then.
   */
  readonly to?: string;
}

/**
 * Brings the tables to a form of theirs, up or down. Doing it again changes nothing.
 *
 * All or nothing: after an error the tables are as before. Processes that do it at the same time take turns, by an
 * advisory lock of Postgres; those behind find nothing left to do.
 *
 * @throws NewerDatabaseError when a newer version of the program has migrated the database.
 * @throws RangeError for a name that is no migration's.
 * @throws StoreFileError, StoreDatabaseError when the database cannot be used.
 */
export async function migrate(
  db: Kysely<StoreTables>,
  options: MigrateOptions = {},
): Promise<void> {
  const { to = "latest" } = options;
  if (to !== "latest" && to !== "none" && !Object.hasOwn(MIGRATIONS, to)) {
    const names = ["latest", "none", ...Object.keys(MIGRATIONS)].join(", ");
    throw new RangeError(`failed to migrate store to ${to}: it is none of ${names}`);
  }
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve({ ...MIGRATIONS }) },
  });
  const { error } =
    to === "latest"
      ? await migrator.migrateToLatest()
      : await migrator.migrateTo(to === "none" ? NO_MIGRATIONS : to);
  if (error !== undefined) throw await failureOf(db, error);
}

async function failureOf(db: Kysely<StoreTables>, error: unknown): Promise<Error> {
  if (error instanceof StoreFileError || error instanceof StoreDatabaseError) return error;
  const unknown = await unknownMigrations(db);
  if (unknown.length > 0) return new NewerDatabaseError(unknown, { cause: error });
  return error instanceof Error ? error : new Error("failed to migrate store", { cause: error });
}

/** One step in the history of the tables. */
export interface MigrationStatus {
  readonly name: string;
  /** RFC 3339; absent when it was not run. */
  readonly appliedAt?: string;
  /** False: a newer version of the program has run it. */
  readonly known: boolean;
}

/**
 * Migrations that were run or can be, in their order. Changes nothing.
 *
 * @throws StoreFileError, StoreDatabaseError when the database cannot be used.
 */
export async function migrationStatus(
  db: Kysely<StoreTables>,
): Promise<readonly MigrationStatus[]> {
  const applied = new Map((await appliedMigrations(db)).map((row) => [row.name, row.timestamp]));
  const names = new Set([...Object.keys(MIGRATIONS), ...applied.keys()]);
  return [...names].sort().map((name) => {
    const appliedAt = applied.get(name);
    return {
      name,
      ...(appliedAt === undefined ? {} : { appliedAt }),
      known: Object.hasOwn(MIGRATIONS, name),
    };
  });
}

async function unknownMigrations(db: Kysely<StoreTables>): Promise<readonly string[]> {
  // The error of the migration is the one to tell.
  const rows = await appliedMigrations(db).catch(() => []);
  return rows.map((row) => row.name).filter((name) => !Object.hasOwn(MIGRATIONS, name));
}

async function appliedMigrations(
  db: Kysely<StoreTables>,
): Promise<readonly { readonly name: string; readonly timestamp: string }[]> {
  const tables = await db.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === DEFAULT_MIGRATION_TABLE)) return [];
  return db
    .$extendTables<{ kysely_migration: { name: string; timestamp: string } }>()
    .selectFrom("kysely_migration")
    .select(["name", "timestamp"])
    .orderBy("name")
    .execute();
}
