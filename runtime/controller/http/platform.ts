import { Hono } from "hono";
import { RESOURCES } from "../../api/cluster.ts";
import { ok } from "./answers.ts";
import type { HttpApiDeps } from "./http-api-deps.ts";
import { clusterSignal } from "./writing.ts";

/** Whether it runs, in which version, for whom, and where it looks (kagent-api section 3.5). */
export function platformRoutes(deps: HttpApiDeps): Hono {
  const { directory, access } = deps;
  const app = new Hono();
  app.get("/health", (c) =>
    deps.ready() ? c.text("OK") : c.json({ error: "the platform is starting" }, 503),
  );
  app.get("/version", (c) =>
    c.json({
      kagent_version: deps.version.version,
      git_commit: deps.version.commit,
      build_date: "unknown",
    }),
  );
  app.get("/api/me", (c) => {
    const { user, groups = [] } = deps.caller(c.req.raw);
    return c.json({ sub: user, ...(groups.length === 0 ? {} : { groups }) });
  });
  app.get("/api/namespaces", async (c) => {
    if (access === undefined) {
      const names = new Set(directory.agents().map(({ ref }) => ref.namespace));
      return ok(
        c,
        [...names].map((name) => ({ name, status: "Active" })),
      );
    }
    const { cluster, watched } = access;
    const { items } = await cluster.list(RESOURCES.Namespace, {}, clusterSignal(c));
    const shown = items.filter(
      ({ metadata }) => watched === "all" || watched.includes(metadata.name),
    );
    return ok(
      c,
      shown.map(({ metadata, ...object }) => {
        const { phase } = Object(object["status"]) as { readonly phase?: unknown };
        return { name: metadata.name, status: typeof phase === "string" ? phase : "Active" };
      }),
    );
  });
  return app;
}
