import { Hono } from "hono";
import { mcpHandler } from "../mcp/server.ts";
import {
  type FederationOptions,
  type FederationTarget,
  federate,
  InvalidTargetsError,
} from "./federation.ts";

/** What a route is called: one segment of a path. */
const ROUTE = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** One MCP endpoint of the gateway. */
export interface McpRoute {
  /** Last segment of its path, e.g. `k8s`. */
  readonly name: string;
  /** Whose tools it serves. */
  readonly targets: readonly FederationTarget[];
}

/** The MCP side of the gateway. */
export interface McpRoutesOptions extends FederationOptions {
  readonly routes: readonly McpRoute[];
  /** Version the endpoints tell; `0` unless set. */
  readonly version?: string;
}

/**
 * `/mcp/<name>` for each route, stateless; `/healthz`; everything else is 404 and lists the routes.
 *
 * @throws {InvalidTargetsError} A name of a route or of a target cannot be used.
 */
export function mcpRoutes(options: McpRoutesOptions): Hono {
  const { routes, log, version = "0" } = options;
  const paths = routes.map(({ name }) => `/mcp/${name}`);
  const bad = routes.find(
    ({ name }, index) => !ROUTE.test(name) || paths.indexOf(`/mcp/${name}`) !== index,
  );
  if (bad !== undefined)
    throw new InvalidTargetsError(`route "${bad.name}" has no name of its own`);
  const app = new Hono();
  for (const { name, targets } of routes) {
    const tools = federate(targets, options);
    const handle = mcpHandler({ name: `kagent-gateway-${name}`, version, tools, log });
    app.all(`/mcp/${name}`, (context) => handle(context.req.raw));
    app.all(`/mcp/${name}/`, (context) => handle(context.req.raw));
  }
  app.get("/healthz", (context) => context.json({ status: "ok", routes: paths }));
  app.notFound((context) => context.json({ error: "there is no such route", routes: paths }, 404));
  return app;
}
