import type { Kysely } from "kysely";
import type { Migration } from "kysely/migration";
import { keyText } from "../dialect.ts";

/** Calls that wait, or waited, for a person. Without a foreign key: they outlive their sessions. */
export const approvals: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable("approvals")
      .addColumn("task_id", keyText(db), (column) => column.notNull())
      .addColumn("call_id", keyText(db), (column) => column.notNull())
      .addColumn("seq", "integer", (column) => column.notNull())
      .addColumn("context_id", keyText(db), (column) => column.notNull())
      .addColumn("agent_namespace", keyText(db), (column) => column.notNull())
      .addColumn("agent_name", keyText(db), (column) => column.notNull())
      .addColumn("user_id", keyText(db), (column) => column.notNull())
      .addColumn("tool", "text", (column) => column.notNull())
      .addColumn("kind", "text", (column) => column.notNull())
      .addColumn("state", keyText(db), (column) => column.notNull())
      .addColumn("args_hash", "text", (column) => column.notNull())
      .addColumn("approver", "text")
      .addColumn("reason", "text")
      .addColumn("requested_at", keyText(db), (column) => column.notNull())
      .addColumn("expires_at", keyText(db))
      .addColumn("decided_at", keyText(db))
      .addPrimaryKeyConstraint("approvals_key", ["task_id", "call_id", "seq"])
      .execute();
    const indexes = {
      approvals_of_session: ["context_id", "state"],
      approvals_of_user: ["user_id", "requested_at"],
      approvals_by_time: ["requested_at"],
      approvals_by_expiry: ["state", "expires_at"],
    };
    for (const [name, columns] of Object.entries(indexes)) {
      await db.schema.createIndex(name).on("approvals").columns(columns).execute();
    }
  },
  async down(db: Kysely<unknown>) {
    await db.schema.dropTable("approvals").execute();
  },
};
