import { Hono } from "hono";
import * as z from "zod";
import type { Feedback, FeedbackStore } from "../../store/feedback-store.ts";
import { ApiError, bodyOf, ok } from "./answers.ts";
import type { HttpApiDeps } from "./http-api-deps.ts";

/** Entries in one list. */
const MAX_ENTRIES = 200;

const Id = z.union([z.string().max(512), z.int().transform(String)]).nullish();
/** In both spellings that kagent's clients have had. */
const Body = z
  .looseObject({
    is_positive: z.boolean().optional(),
    isPositive: z.boolean().optional(),
    feedback_text: z.string().max(10_000).nullish(),
    feedbackText: z.string().max(10_000).nullish(),
    issue_type: z.string().max(200).nullish(),
    issueType: z.string().max(200).nullish(),
    message_id: Id,
    messageId: Id,
  })
  .transform((body, context) => {
    const positive = body.is_positive ?? body.isPositive;
    if (positive === undefined) {
      context.addIssue({ code: "custom", path: ["is_positive"], message: "is required" });
      return z.NEVER;
    }
    const issueType = body.issue_type ?? body.issueType;
    const messageId = body.message_id ?? body.messageId;
    return {
      positive,
      text: body.feedback_text ?? body.feedbackText ?? "",
      ...(issueType === null || issueType === undefined ? {} : { issueType }),
      ...(messageId === null || messageId === undefined ? {} : { messageId }),
    };
  });

/** What people thought of answers (kagent-api section 3.5). */
export function feedbackRoutes(deps: HttpApiDeps): Hono {
  const app = new Hono();
  app.get("/api/feedback", async (c) => {
    const { user } = deps.caller(c.req.raw);
    return ok(c, (await storeOf(deps).list({ user, limit: MAX_ENTRIES })).map(feedbackView));
  });
  app.post("/api/feedback", async (c) => {
    const { user } = deps.caller(c.req.raw);
    const store = storeOf(deps);
    return ok(c, feedbackView(await store.add({ ...(await bodyOf(c, Body)), user })), 201);
  });
  return app;
}

function storeOf({ feedback }: HttpApiDeps): FeedbackStore {
  if (feedback !== undefined) return feedback;
  throw new ApiError(501, "feedback is not kept by this platform's store");
}

function feedbackView({ id, user, messageId, positive, text, issueType, createdAt }: Feedback) {
  return {
    id,
    user_id: user,
    message_id: messageId,
    is_positive: positive,
    feedback_text: text,
    issue_type: issueType,
    created_at: createdAt,
    updated_at: createdAt,
  };
}
