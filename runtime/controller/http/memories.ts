import { type Context, Hono } from "hono";
import * as z from "zod";
import { EMBEDDING_DIMENSIONS } from "../../api/embedding.ts";
import { DEFAULT_NAMESPACE, type ObjectRef } from "../../api/names.ts";
import type { AgentMemory, AgentMemoryStore } from "../../store/agent-memory-store.ts";
import { ApiError, bodyOf, queryOf, RefText } from "./answers.ts";
import type { HttpApiDeps } from "./http-api-deps.ts";

/** Days a memory lives unless it says otherwise (kagent-api section 1.1). */
const TTL_DAYS = 15;
/** Memories in one list. */
const MAX_MEMORIES = 1_000;
/** Memories in one batch. */
const MAX_BATCH = 50;

const Owner = z.object({ agent_name: RefText, user_id: z.string().max(256).optional() });
const Vector = z.array(z.number()).length(EMBEDDING_DIMENSIONS);
const NewMemory = Owner.extend({
  content: z.string().min(1).max(100_000),
  vector: Vector,
  metadata: z.record(z.string(), z.unknown()).nullish(),
  ttl_days: z.int().min(1).max(3_650).nullish(),
});
const Batch = z.object({ items: z.array(NewMemory).min(1).max(MAX_BATCH) });
const Search = Owner.extend({
  vector: Vector,
  limit: z.int().min(1).max(100).default(5),
  min_score: z.number().min(-1).max(1).nullish(),
});

/** `/api/memories`, without envelope: what agents remember about a user (kagent-api section 3.5). */
export function memoryRoutes(deps: HttpApiDeps): Hono {
  const app = new Hono();
  app.get("/api/memories", async (c) => {
    const query = owned(deps, c, queryOf(c, Owner));
    const found = await storeOf(deps).list({ ...query, limit: MAX_MEMORIES });
    return c.json(found.map(memoryView));
  });
  app.delete("/api/memories", async (c) => {
    const query = owned(deps, c, queryOf(c, Owner));
    return c.json({ deleted: await storeOf(deps).deleteAll(query) });
  });
  app.post("/api/memories/sessions", async (c) => {
    const memory = await bodyOf(c, NewMemory);
    const [stored] = await storeOf(deps).add([newMemory(deps, c, memory)]);
    return c.json(stored === undefined ? {} : memoryView(stored), 201);
  });
  app.post("/api/memories/sessions/batch", async (c) => {
    const { items } = await bodyOf(c, Batch);
    const stored = await storeOf(deps).add(items.map((item) => newMemory(deps, c, item)));
    return c.json(stored.map(memoryView), 201);
  });
  app.post("/api/memories/search", async (c) => {
    const search = await bodyOf(c, Search);
    const { vector, limit, min_score } = search;
    const found = await storeOf(deps).search({
      ...owned(deps, c, search),
      vector,
      limit,
      ...(typeof min_score === "number" ? { minScore: min_score } : {}),
    });
    return c.json(found.map((memory) => ({ ...memoryView(memory), score: memory.score })));
  });
  return app;
}

function storeOf({ memories }: HttpApiDeps): AgentMemoryStore {
  if (memories !== undefined) return memories;
  throw new ApiError(501, "memories of agents are not kept by this platform's store");
}

function newMemory(deps: HttpApiDeps, c: Context, item: z.output<typeof NewMemory>) {
  const { content, vector, metadata, ttl_days } = item;
  return {
    ...owned(deps, c, item),
    content,
    vector,
    ttlDays: ttl_days ?? TTL_DAYS,
    ...(metadata === null || metadata === undefined ? {} : { metadata }),
  };
}

/** Whose memories: the caller's own, whoever the request names. */
function owned(
  { caller }: HttpApiDeps,
  c: Context,
  { agent_name, user_id }: z.output<typeof Owner>,
): { readonly agent: ObjectRef; readonly user: string } {
  const { user } = caller(c.req.raw);
  if (user_id !== undefined && user_id !== user)
    throw new ApiError(403, "user_id: memories of another user are not yours to touch");
  const { namespace = DEFAULT_NAMESPACE, name } = agent_name;
  return { agent: { namespace, name }, user };
}

function memoryView(memory: AgentMemory): object {
  const { id, content, metadata = {}, createdAt, expiresAt, accessCount } = memory;
  return {
    id,
    content,
    metadata,
    created_at: createdAt,
    expires_at: expiresAt,
    access_count: accessCount,
  };
}
