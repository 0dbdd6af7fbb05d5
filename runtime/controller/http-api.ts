import { Hono } from "hono";
import { silentLog } from "../telemetry/log.ts";
import { dryRunApp } from "./admission/admission-app.ts";
import { agentRoutes } from "./http/agents.ts";
import { refusalOf } from "./http/answers.ts";
import { approvalRoutes } from "./http/approvals.ts";
import { feedbackRoutes } from "./http/feedback.ts";
import type { HttpApiDeps } from "./http/http-api-deps.ts";
import { memoryRoutes } from "./http/memories.ts";
import { modelConfigRoutes } from "./http/model-configs.ts";
import { modelProviderRoutes } from "./http/model-providers.ts";
import { platformRoutes } from "./http/platform.ts";
import { promptTemplateRoutes } from "./http/prompt-templates.ts";
import { sessionRoutes } from "./http/sessions.ts";
import { shareRoutes } from "./http/shares.ts";
import { taskRoutes } from "./http/tasks.ts";
import { toolServerRoutes } from "./http/tool-servers.ts";

/**
 * The HTTP API of kagent-api section 3.5.
 *
 * Success is `{error: false, data, message}`, failure `{error: "<text>"}` with an HTTP status.
 */
export function httpApi(deps: HttpApiDeps): Hono {
  const app = new Hono();
  for (const routes of [
    platformRoutes,
    agentRoutes,
    modelConfigRoutes,
    modelProviderRoutes,
    toolServerRoutes,
    sessionRoutes,
    shareRoutes,
    taskRoutes,
    approvalRoutes,
    feedbackRoutes,
    promptTemplateRoutes,
    memoryRoutes,
  ])
    app.route("/", routes(deps));
  if (deps.admission !== undefined) app.route("/", dryRunApp(deps.admission));
  app.notFound((c) => c.json({ error: `there is nothing at ${c.req.method} ${c.req.path}` }, 404));
  app.onError((error, c) => refusalOf(error, c, deps.log ?? silentLog));
  return app;
}
