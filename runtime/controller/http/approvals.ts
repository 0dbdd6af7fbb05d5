import { Hono } from "hono";
import * as z from "zod";
import { approvalInbox } from "../approval-inbox.ts";
import { ApiError, ok, queryOf } from "./answers.ts";
import type { HttpApiDeps } from "./http-api-deps.ts";

const Query = z.object({ state: z.enum(["pending", "approve", "reject", "answer"]).optional() });

/** `/api/approvals?state=pending`: calls that wait for the caller's decision, and what became of their own. */
export function approvalRoutes({ approvals, sessions, directory, caller }: HttpApiDeps): Hono {
  const app = new Hono();
  app.get("/api/approvals", async (c) => {
    if (approvals === undefined)
      throw new ApiError(501, "this platform keeps no list of approvals; ask the task itself");
    const { state } = queryOf(c, Query);
    const approvers = (agent: Parameters<typeof directory.agent>[0]) =>
      directory.agent(agent)?.config?.approval.approvers ?? [];
    const inbox = { approvals, sessions, approvers };
    return ok(c, await approvalInbox(inbox, caller(c.req.raw), state));
  });
  return app;
}
