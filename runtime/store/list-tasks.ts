import type { ExpressionBuilder, Kysely, SqlBool } from "kysely";
import * as z from "zod";
import { taskOf } from "./session-rows.ts";
import type { StoredTask, TaskQuery } from "./session-store.ts";
import type { StoreTables } from "./tables.ts";

/** 4096 characters: an RFC 3339 time and an id of 512 characters in base64, with room. */
const MAX_TOKEN_LENGTH = 4096;

/** Where a page ended: the values that the list is sorted by, so the task itself may be gone. */
interface Place {
  readonly updatedAt: string;
  readonly id: string;
}

const PlaceTuple = z.tuple([z.iso.datetime(), z.string().min(1)]);

/** Tasks of a user with an agent, last updated first, as `SessionStore.listTasks` says. */
export async function listTasks(
  db: Kysely<StoreTables>,
  query: TaskQuery,
): Promise<{
  readonly tasks: readonly StoredTask[];
  readonly total: number;
  readonly nextPageToken?: string;
}> {
  const { pageSize, pageToken } = query;
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > 100) {
    throw new RangeError(`failed to list tasks: page size ${pageSize} is not within 1 to 100`);
  }
  const after = pageToken === undefined ? undefined : placeOf(pageToken);
  const matching = db.selectFrom("tasks").where((eb) => matches(eb, query));
  const { total } = await matching
    .select((eb) => eb.fn.countAll().as("total"))
    .executeTakeFirstOrThrow();
  const rows = await matching
    .$if(after !== undefined, (page) => page.where((eb) => isBelow(eb, after)))
    .selectAll()
    .orderBy("updated_at", "desc")
    .orderBy("id", "desc")
    // One more than asked for tells whether there is a next page.
    .limit(pageSize + 1)
    .execute();
  const tasks = rows.slice(0, pageSize).map(taskOf);
  const last = rows.length > pageSize ? tasks.at(-1) : undefined;
  return {
    tasks,
    total: Number(total),
    ...(last === undefined ? {} : { nextPageToken: tokenOf(last) }),
  };
}

type Tasks = ExpressionBuilder<StoreTables, "tasks">;

function matches(eb: Tasks, query: TaskQuery) {
  const { agent, user, contextId, state } = query;
  return eb.and([
    eb("user_id", "=", user),
    eb("agent_namespace", "=", agent.namespace),
    eb("agent_name", "=", agent.name),
    ...(contextId === undefined ? [] : [eb("context_id", "=", contextId)]),
    ...(state === undefined ? [] : [eb("state", "=", state)]),
  ]);
}

function isBelow(eb: Tasks, place: Place | undefined) {
  if (place === undefined) return eb.lit(true).$castTo<SqlBool>();
  const { updatedAt, id } = place;
  return eb.or([
    eb("updated_at", "<", updatedAt),
    eb.and([eb("updated_at", "=", updatedAt), eb("id", "<", id)]),
  ]);
}

function tokenOf(place: Place): string {
  return Buffer.from(JSON.stringify([place.updatedAt, place.id])).toString("base64url");
}

function placeOf(token: string): Place {
  const place = PlaceTuple.safeParse(token.length > MAX_TOKEN_LENGTH ? undefined : decoded(token));
  if (!place.success) throw new RangeError("failed to list tasks: the page token is none of ours");
  const [updatedAt, id] = place.data;
  return { updatedAt, id };
}

function decoded(token: string): unknown {
  try {
    return JSON.parse(Buffer.from(token, "base64url").toString("utf8"));
  } catch {
    return undefined; // fails the check of its caller, as any other text
  }
}
