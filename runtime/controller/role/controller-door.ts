import { Hono } from "hono";
import type { McpClientPool } from "../../mcp/client-pool.ts";
import { mcpHandler } from "../../mcp/server.ts";
import type { ServiceIdentity } from "../../process/auth/identity.ts";
import type { TokenReviewer } from "../../process/auth/service-verifier.ts";
import { RateLimiter } from "../../process/rate-limit.ts";
import { STORE_PATH } from "../../store/remote/protocol.ts";
import { sessionRoutes } from "../../store/remote/session-routes.ts";
import type { AdmissionDeps } from "../admission/admit.ts";
import type { AgentDirectory } from "../agent-directory.ts";
import { FrontDoor } from "../http/front-door.ts";
import { httpApi } from "../http-api.ts";
import { httpModelLister } from "../model-lister.ts";
import { agentChanges, agentResources, platformTools } from "../platform-tools.ts";
import type { NodeBindings } from "../proxy/a2a-proxy.ts";
import type { AgentFront } from "../proxy/agent-front.ts";
import { controllerAuthenticator } from "./authentication.ts";
import type { ControllerParts } from "./controller-parts.ts";
import { StoreDoor } from "./store-door.ts";
import { toolAccess } from "./tool-access.ts";
import { isBelieved, isTrusted, runs, type TrustRules } from "./trust.ts";

/** What stands behind the door of a controller. */
export interface BehindDoor {
  readonly directory: AgentDirectory;
  /** Judges objects before they are stored. */
  readonly admission: AdmissionDeps;
  readonly front: AgentFront;
  readonly pool: McpClientPool;
  readonly reviewer: TokenReviewer;
  readonly trust: TrustRules;
  /** Figures, at `/metrics`. */
  readonly metrics: Pick<Hono, "fetch">;
  /** Whether everything has started. */
  readonly ready: () => boolean;
}

/** The door of a controller, with everything behind it that HTTP reaches. */
export function controllerDoor(parts: ControllerParts, behind: BehindDoor): FrontDoor {
  const { settings, clock, log, signal } = parts;
  const { front, reviewer: services, trust: rules, metrics } = behind;
  const { hosts, origins, rate } = settings;
  const trust = {
    services,
    trusts: (service: ServiceIdentity) => isTrusted(service, rules),
    believes: (service: ServiceIdentity) => isBelieved(service, rules),
    log,
  };
  const door: FrontDoor = new FrontDoor({
    authenticator: controllerAuthenticator(settings, trust, clock),
    access: {
      ...(hosts === undefined ? {} : { hosts }),
      ...(origins === undefined ? {} : { origins }),
    },
    agents: (bindings, identity) => front.handle(bindings, identity),
    mcp: mcp(parts, behind),
    api: (request) => api.fetch(request),
    own: {
      [STORE_PATH]: storeHandler(parts, behind),
      "/metrics": (request) => metrics.fetch(request),
    },
    signal,
    ...(rate === undefined ? {} : { limiter: new RateLimiter({ ...rate, clock }) }),
  });
  const api = restApi(parts, behind, (request) => door.callerOf(request));
  return door;
}

function restApi(
  parts: ControllerParts,
  { directory, pool, ready, admission }: BehindDoor,
  caller: FrontDoor["callerOf"],
): Hono {
  const { settings, cluster, store, clock, log, version } = parts;
  const { namespace, watched, writers } = settings;
  return httpApi({
    directory,
    sessions: store.sessions,
    caller,
    ready,
    version,
    access: { cluster, namespace, watched, writers, models: httpModelLister() },
    approvals: store.approvals,
    memories: store.agentMemories,
    shares: store.shares,
    feedback: store.feedback,
    tools: toolAccess({ directory, cluster, pool }),
    admission,
    clock,
    log,
  });
}

function mcp(
  { settings, clock, log, signal, version }: ControllerParts,
  { directory, front }: BehindDoor,
): (request: Request) => Promise<Response> {
  const where = "in a cluster";
  const deps = { directory, tasks: front.turns, defaultUser: "", where } as const;
  const sessions = { clock, signal, changes: agentChanges(deps, clock) };
  return mcpHandler({
    name: "kagent-agents",
    version: version.version,
    tools: platformTools(deps),
    resources: agentResources(deps),
    log,
    ...(settings.mcpSessions === "stateless" ? {} : { sessions }),
  });
}

function storeHandler(
  { settings, store, log, signal }: ControllerParts,
  { reviewer: services, trust }: BehindDoor,
) {
  const door = new StoreDoor({
    services,
    runs: (service, agent) => runs(service, agent, trust),
    addresses: settings.workerAddresses,
    log,
    signal,
  });
  const app = new Hono();
  app.route(
    STORE_PATH,
    sessionRoutes({
      sessions: store.sessions,
      approvals: store.approvals,
      memories: store.agentMemories,
      mayServe: (request, agent) => door.mayServe(request, agent),
      log,
    }),
  );
  return (request: Request, { incoming }: NodeBindings) =>
    door.pass(request, incoming.socket.remoteAddress, (known) => app.fetch(known));
}
