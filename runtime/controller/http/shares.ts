import { Hono } from "hono";
import * as z from "zod";
import type { Share, ShareStore } from "../../store/share-store.ts";
import { ApiError, bodyOf, missing, ok } from "./answers.ts";
import type { HttpApiDeps } from "./http-api-deps.ts";

const Body = z.object({ read_only: z.boolean().optional() });

/** Links by which an owner shows a session to others, who may read it and nothing else (kagent-api section 3.6). */
export function shareRoutes(deps: HttpApiDeps): Hono {
  const { caller } = deps;
  const app = new Hono();
  app.get("/api/sessions/:id/shares", async (c) => {
    const found = await sharesOf(deps).list(c.req.param("id"), caller(c.req.raw).user);
    return ok(c, found.map(shareView));
  });
  app.post("/api/sessions/:id/shares", async (c) => {
    const shares = sharesOf(deps);
    const { read_only } = await bodyOf(c, Body);
    if (read_only === false)
      throw new ApiError(400, "read_only: links of this platform open a session for reading only");
    const contextId = c.req.param("id");
    const { user } = caller(c.req.raw);
    return ok(c, shareView(await shares.create({ contextId, user, readOnly: true })), 201);
  });
  app.delete("/api/sessions/:id/shares/:token", async (c) => {
    const { id: contextId, token } = c.req.param();
    const { user } = caller(c.req.raw);
    if (!(await sharesOf(deps).delete({ contextId, token, user }))) throw missing("such link");
    return ok(c, {});
  });
  return app;
}

function sharesOf({ shares }: HttpApiDeps): ShareStore {
  if (shares !== undefined) return shares;
  throw new ApiError(501, "links to sessions are not kept by this platform's store");
}

function shareView({ token, contextId, user, readOnly, createdAt }: Share): object {
  return {
    token,
    session_id: contextId,
    user_id: user,
    read_only: readOnly,
    created_at: createdAt,
  };
}
