import type { Kysely } from "kysely";
import { type Migration, Migrator, NO_MIGRATIONS } from "kysely/migration";
import { sessions } from "./migrations/0001-sessions.ts";
import { memories } from "./migrations/0002-memories.ts";
import { StoreFileError } from "./store-file-error.ts";
import type { StoreTables } from "./tables.ts";

/** Every migration by name; run in the order of their names and never changed once released. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001-sessions": sessions,
  "0002-memories": memories,
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

/**
 * Brings the tables to the newest form, or takes them all away. Doing it again changes nothing.
 *
 * All or nothing: after an error the tables are as before.
 *
 * @param target - `none` undoes every migration; everything stored is gone then.
 * @throws NewerDatabaseError when a newer version of the program has migrated the database.
 * @throws StoreFileError when the database's file cannot be used.
 */
export async function migrate(
  db: Kysely<StoreTables>,
  target: "latest" | "none" = "latest",
): Promise<void> {
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve({ ...MIGRATIONS }) },
  });
  const { error } =
    target === "latest"
      ? await migrator.migrateToLatest()
      : await migrator.migrateTo(NO_MIGRATIONS);
  if (error === undefined) return;
  if (error instanceof StoreFileError) throw error;
  const unknown = await unknownMigrations(db);
  if (unknown.length > 0) throw new NewerDatabaseError(unknown, { cause: error });
  throw error instanceof Error ? error : new Error("failed to migrate store", { cause: error });
}

async function unknownMigrations(db: Kysely<StoreTables>): Promise<readonly string[]> {
  const rows = await db
    .$extendTables<{ kysely_migration: { name: string } }>()
    .selectFrom("kysely_migration")
    .select("name")
    .orderBy("name")
    .execute()
    // The first error is the one to tell.
    .catch(() => []);
  return rows.map((row) => row.name).filter((name) => !(name in MIGRATIONS));
}
