import { type Context, Hono } from "hono";
import * as z from "zod";
import { check, sentence } from "../../api/checked.ts";
import { BodyTooLargeError, readBody } from "../../process/request-body.ts";
import { AdmissionReview, reviewAnswer } from "./admission-review.ts";
import { type AdmissionDeps, admit } from "./admit.ts";

/** 3 MiB: an object of etcd's largest size in its old and its new form. */
const MAX_BYTES = 3 * 1024 * 1024;
/** 8 s, below the webhook's own limit of 10 s. */
const ANSWER_MS = 8_000;

/**
 * The validating webhook: `POST /validate` answers AdmissionReviews, `GET /healthz` says that it is there.
 *
 * @see https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/
 */
export function admissionApp(deps: AdmissionDeps): Hono {
  const app = new Hono();
  app.get("/healthz", (c) => c.text("ok"));
  app.post("/validate", async (c) => {
    const body = await bodyOf(c);
    if (!body.ok) return c.json({ error: body.why }, body.status);
    const review = check(AdmissionReview, body.value, "");
    if (!review.ok) return c.json({ error: sentence(review.violations) }, 400);
    const { request } = review.value;
    const limit = AbortSignal.any([c.req.raw.signal, AbortSignal.timeout(ANSWER_MS)]);
    const answer =
      request.operation === "DELETE" || request.operation === "CONNECT"
        ? { violations: [], warnings: [] }
        : await admit(request.object, request.namespace, deps, limit);
    return c.json(reviewAnswer(review.value, answer));
  });
  return app;
}

const DryRun = z.strictObject({ object: z.unknown() });

/**
 * The same judgement for people and pipelines: `POST /api/validate {object}` answers
 * `{error: false, data: {allowed, violations, warnings}}` and stores nothing.
 */
export function dryRunApp(deps: AdmissionDeps): Hono {
  const app = new Hono();
  app.post("/api/validate", async (c) => {
    const body = await bodyOf(c);
    if (!body.ok) return c.json({ error: body.why }, body.status);
    const wanted = check(DryRun, body.value, "");
    if (!wanted.ok) return c.json({ error: sentence(wanted.violations) }, 400);
    const limit = AbortSignal.any([c.req.raw.signal, AbortSignal.timeout(ANSWER_MS)]);
    const { violations, warnings } = await admit(wanted.value.object, undefined, deps, limit);
    const data = { allowed: violations.length === 0, violations, warnings };
    return c.json({ error: false, data, message: "" });
  });
  return app;
}

type Body =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly status: 400 | 413; readonly why: string };

async function bodyOf(c: Context): Promise<Body> {
  try {
    return { ok: true, value: JSON.parse(await readBody(c.req.raw, MAX_BYTES)) as unknown };
  } catch (error) {
    if (error instanceof BodyTooLargeError) return { ok: false, status: 413, why: error.message };
    if (error instanceof SyntaxError) return { ok: false, status: 400, why: "the body is no JSON" };
    throw error;
  }
}
