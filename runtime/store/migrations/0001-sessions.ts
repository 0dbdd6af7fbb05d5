import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import { keyText } from "../dialect.ts";

/** Sessions, their events and their tasks. */
export const sessions: Migration = {
  async up(db: Kysely<unknown>) {
    await createSessions(db);
    await createEvents(db);
    await createTasks(db);
  },
  async down(db: Kysely<unknown>) {
    await db.schema.dropTable("tasks").execute();
    await db.schema.dropTable("events").execute();
    await db.schema.dropTable("sessions").execute();
  },
};

async function createSessions(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("sessions")
    .addColumn("id", keyText(db), (column) => column.primaryKey())
    .addColumn("agent_namespace", keyText(db), (column) => column.notNull())
    .addColumn("agent_name", keyText(db), (column) => column.notNull())
    .addColumn("user_id", keyText(db), (column) => column.notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("source", keyText(db), (column) => column.notNull())
    .addColumn("parent_context_id", keyText(db))
    .addColumn("root_context_id", keyText(db), (column) => column.notNull())
    .addColumn("last_seq", "integer", (column) => column.notNull())
    .addColumn("created_at", keyText(db), (column) => column.notNull())
    .addColumn("updated_at", keyText(db), (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("sessions_of_user")
    .on("sessions")
    .columns(["user_id", "source", "updated_at", "id"])
    .execute();
  await db.schema
    .createIndex("sessions_of_root")
    .on("sessions")
    .column("root_context_id")
    .execute();
}

async function createEvents(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("events")
    .addColumn("context_id", keyText(db), (column) =>
      column.notNull().references("sessions.id").onDelete("cascade"),
    )
    .addColumn("seq", "integer", (column) => column.notNull())
    .addColumn("id", keyText(db), (column) => column.notNull().unique())
    .addColumn("task_id", keyText(db), (column) => column.notNull())
    .addColumn("time", keyText(db), (column) => column.notNull())
    .addColumn("author", "text", (column) => column.notNull())
    .addColumn("body", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("events_key", ["context_id", "seq"])
    .execute();
  await db.schema
    .createIndex("events_of_task")
    .on("events")
    .columns(["context_id", "task_id", "seq"])
    .execute();
}

async function createTasks(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("tasks")
    .addColumn("id", keyText(db), (column) => column.primaryKey())
    .addColumn("context_id", keyText(db), (column) =>
      column.notNull().references("sessions.id").onDelete("cascade"),
    )
    .addColumn("agent_namespace", keyText(db), (column) => column.notNull())
    .addColumn("agent_name", keyText(db), (column) => column.notNull())
    .addColumn("user_id", keyText(db), (column) => column.notNull())
    .addColumn("state", keyText(db), (column) => column.notNull())
    .addColumn("usage", "text")
    .addColumn("error", "text")
    .addColumn("created_at", keyText(db), (column) => column.notNull())
    .addColumn("updated_at", keyText(db), (column) => column.notNull())
    .execute();
  await db.schema
    .createIndex("tasks_of_agent")
    .on("tasks")
    .columns(["user_id", "agent_namespace", "agent_name", "updated_at", "id"])
    .execute();
  await db.schema
    .createIndex("tasks_of_session")
    .on("tasks")
    .columns(["context_id", "updated_at", "id"])
    .execute();
  await db.schema.createIndex("tasks_by_state").on("tasks").column("state").execute();
}
