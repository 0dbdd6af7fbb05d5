import type { Kysely } from "kysely";
import { checkId, checkLimitWithin, storable } from "./arguments.ts";
import type { Feedback, FeedbackStore } from "./feedback-store.ts";
import type { StoreDeps } from "./sessions.ts";
import type { FeedbackTable, StoreTables } from "./tables.ts";

const MAX_TEXT_LENGTH = 10_000;
const MAX_LISTED = 1000;

/** Feedback in a database that `migrate` has prepared. */
export function feedbackStore(db: Kysely<StoreTables>, deps: StoreDeps): FeedbackStore {
  return {
    add: (feedback) => add(db, feedback, deps),
    list: (filter) => list(db, filter),
  };
}

async function add(
  db: Kysely<StoreTables>,
  feedback: Omit<Feedback, "id" | "createdAt">,
  deps: StoreDeps,
): Promise<Feedback> {
  const { messageId, issueType, text } = feedback;
  if (text.length > MAX_TEXT_LENGTH) {
    throw new RangeError(`failed to store feedback: it is over ${MAX_TEXT_LENGTH} characters`);
  }
  const row = {
    id: deps.newId(),
    user_id: checkId("user", feedback.user),
    message_id: messageId === undefined ? null : checkId("message id", messageId),
    positive: feedback.positive ? 1 : 0,
    text: storable(text),
    issue_type: issueType === undefined ? null : checkId("type of issue", issueType),
    created_at: new Date(deps.clock.now()).toISOString(),
  };
  await db.insertInto("feedback").values(row).execute();
  return feedbackOf(row);
}

async function list(
  db: Kysely<StoreTables>,
  filter: { readonly user: string; readonly limit: number },
): Promise<readonly Feedback[]> {
  const rows = await db
    .selectFrom("feedback")
    .selectAll()
    .where("user_id", "=", filter.user)
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .limit(checkLimitWithin(filter.limit, MAX_LISTED))
    .execute();
  return rows.map(feedbackOf);
}

function feedbackOf(row: FeedbackTable): Feedback {
  return {
    id: row.id,
    user: row.user_id,
    ...(row.message_id === null ? {} : { messageId: row.message_id }),
    positive: row.positive === 1,
    text: row.text,
    ...(row.issue_type === null ? {} : { issueType: row.issue_type }),
    createdAt: row.created_at,
  };
}
