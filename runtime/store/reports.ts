import type { ExpressionBuilder, Kysely } from "kysely";
import { checkId, checkLimitWithin, checkText } from "./arguments.ts";
import type { Report, ReportStore } from "./report-store.ts";
import type { StoreDeps } from "./sessions.ts";
import type { ReportsTable, StoreTables } from "./tables.ts";

const MAX_TITLE_LENGTH = 500;
/** 1,000,000 characters: a report is read by people. */
const MAX_MARKDOWN_LENGTH = 1_000_000;
const MAX_LISTED = 100;

/** Reports in a database that `migrate` has prepared. */
export function reportStore(db: Kysely<StoreTables>, deps: Pick<StoreDeps, "clock">): ReportStore {
  return {
    save: (report) => save(db, report, new Date(deps.clock.now()).toISOString()),
    async get(id) {
      const row = await db
        .selectFrom("reports")
        .selectAll()
        .where("id", "=", id)
        .executeTakeFirst();
      return row === undefined ? undefined : reportOf(row);
    },
    list: (filter) => list(db, filter),
  };
}

async function save(
  db: Kysely<StoreTables>,
  report: Omit<Report, "createdAt">,
  now: string,
): Promise<Report> {
  const content = {
    kind: checkId("kind of report", report.kind),
    title: checkText("title of report", report.title, MAX_TITLE_LENGTH),
    markdown: checkText("report", report.markdown, MAX_MARKDOWN_LENGTH),
    incident: report.incident === undefined ? null : checkId("incident", report.incident),
  };
  const row = await db
    .insertInto("reports")
    .values({ id: checkId("report id", report.id), ...content, created_at: now })
    .onConflict((conflict) => conflict.column("id").doUpdateSet(content))
    .returningAll()
    .executeTakeFirstOrThrow();
  return reportOf(row);
}

type Filter = Parameters<ReportStore["list"]>[0];

async function list(
  db: Kysely<StoreTables>,
  filter: Filter,
): Promise<readonly Omit<Report, "markdown">[]> {
  const rows = await db
    .selectFrom("reports")
    .select(["id", "kind", "title", "incident", "created_at"])
    .where((eb) => matches(eb, filter))
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(checkLimitWithin(filter.limit, MAX_LISTED))
    .execute();
  return rows.map(summaryOf);
}

function matches(eb: ExpressionBuilder<StoreTables, "reports">, { kind, incident }: Filter) {
  return eb.and([
    ...(kind === undefined ? [] : [eb("kind", "=", kind)]),
    ...(incident === undefined ? [] : [eb("incident", "=", incident)]),
  ]);
}

function summaryOf(row: Omit<ReportsTable, "markdown">): Omit<Report, "markdown"> {
  return {
    id: row.id,
    kind: row.kind,
    title: row.title,
    ...(row.incident === null ? {} : { incident: row.incident }),
    createdAt: row.created_at,
  };
}

function reportOf(row: ReportsTable): Report {
  return { ...summaryOf(row), markdown: row.markdown };
}
