import { join } from "node:path";
import * as z from "zod";
import type { AccessPolicy } from "../../api/agent-config.ts";
import { check, sentence } from "../../api/checked.ts";
import { toMs } from "../../api/duration.ts";
import { DEFAULT_MODEL_CONFIG, DEFAULT_NAMESPACE } from "../../api/names.ts";
import { TOKEN_PATH } from "../../process/auth/own-token.ts";
import type { WebhookOptions } from "../admission/webhook-setup.ts";
import type { Namespaces } from "../object-cache.ts";
import type { WorkloadOptions } from "../reconcile/workloads.ts";
import { webhookEnvironment, webhookOptions } from "./webhook-settings.ts";
import { workloadEnvironment, workloadOptions } from "./workload-settings.ts";

/** Environment that the controller cannot start with; the message says all that is wrong. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/** Where to listen. */
export interface Listen {
  readonly host: string;
  readonly port: number;
}

/** How people are known (decisions 23). */
type AuthSettings =
  | { readonly mode: "trusted-proxy" }
  | {
      readonly mode: "jwt";
      /** Public keys: a URL, or the path of a file. */
      readonly keys: URL | string;
      readonly issuer: string;
      readonly audience: string;
      readonly userClaim: string;
      readonly groupsClaim: string;
    }
  | { readonly mode: "unsecure"; readonly from: "loopback" | "anywhere"; readonly user: string };

/** How a controller runs. */
export interface ControllerSettings {
  readonly namespace: string;
  /** Name of its Deployment, Service and Lease. */
  readonly controllerName: string;
  readonly watched: Namespaces;
  readonly http: Listen;
  /** MCP alone; absent: not served. */
  readonly mcp?: Listen;
  /** `/healthz`, `/readyz`; absent: not served. */
  readonly health?: Listen;
  /** Admission webhook; absent: not served. */
  readonly webhook?: { readonly listen: Listen; readonly options: WebhookOptions };
  /** `/metrics` beside that of the HTTP API; absent: there only. */
  readonly metrics?: Listen;
  /** What cards name, without a slash at the end. */
  readonly a2aBaseUrl: string;
  /** Agents call one another here, `{namespace}/{name}/` follows. */
  readonly agentsUrl: string;
  /** Longest wait for a whole answer of an agent in milliseconds; 0: none. */
  readonly a2aTimeoutMs: number;
  readonly mcpSessions: "stateful" | "stateless";
  readonly auth: AuthSettings;
  /** Addresses whose word about users is believed. */
  readonly trustedPeers: readonly string[];
  /** Services that may speak for users, `NAMESPACE/ACCOUNT` or `NAMESPACE/*`. */
  readonly trustedServices: readonly string[];
  /** Audiences beside `kagent` under which tokens of the cluster's people are taken. */
  readonly tokenAudiences: readonly string[];
  readonly hosts?: readonly string[];
  readonly origins?: readonly string[];
  /** Requests per second and caller, and at once; absent: no limit. */
  readonly rate?: { readonly perSecond: number; readonly burst: number };
  readonly writers: AccessPolicy;
  /** Postgres, or a SQLite file. */
  readonly store: { readonly url: string } | { readonly path: string };
  /** Days that an unused session is kept; 0: for ever. */
  readonly retentionDays: number;
  readonly leaderElect: boolean;
  readonly toolRefreshMs: number;
  readonly defaultModelConfig: string;
  /** How workers are made, but for the keys that prove their callers. */
  readonly workloads: Omit<WorkloadOptions, "jwks">;
  readonly kubeconfig?: string;
  readonly podName?: string;
  readonly podIp?: string;
  readonly tokenPath: string;
  /** `peer`: workers are where their connections come from; `any`: for meshes that hide that. */
  readonly workerAddresses: "peer" | "any";
  readonly logLevel: "debug" | "info" | "warn" | "error";
  /** Milliseconds from SIGTERM to the end; below `terminationGracePeriodSeconds`. */
  readonly drainMs: number;
}

const words = (text: string): readonly string[] =>
  text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");
const Words = z.string().transform(words);
const Flag = z.stringbool({ error: "must be true or false" });
const Count = z
  .string()
  .regex(/^\d{1,9}$/, "must be a whole number")
  .transform(Number);
const HttpUrl = z.url({ protocol: /^https?$/, error: "must be an http or https URL" });
const Base = HttpUrl.transform((url) => url.replace(/\/+$/, ""));

/** `:8083`, `127.0.0.1:8083`, `[::1]:8083`; `0` or empty: off. */
const Address = z
  .string()
  .regex(
    /^(0|((\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]*):)?\d{1,5})?$/,
    'must be ":PORT" or "HOST:PORT", or 0 to serve nothing',
  )
  .transform((text): Listen | "off" => {
    if (text === "0" || text === "") return "off";
    const colon = text.lastIndexOf(":");
    const host = text.slice(0, Math.max(0, colon)).replaceAll(/[[\]]/g, "");
    return { host: host === "" ? "0.0.0.0" : host, port: Number(text.slice(colon + 1)) };
  })
  .refine((at) => at === "off" || at.port <= 65_535, "must be a port of at most 65535");
const RequiredAddress = Address.transform((at, context) => {
  if (at !== "off") return at;
  context.addIssue({ code: "custom", message: 'must be ":PORT" or "HOST:PORT"' });
  return z.NEVER;
});

/** A duration (`30s`), or seconds. */
const Wait = z
  .string()
  .regex(
    /^(\d{1,9}|([0-9]+(\.[0-9]+)?(ms|s|m|h))+)$/,
    'must be a duration such as "30s", or seconds',
  )
  .transform((text) => (/^\d+$/.test(text) ? Number(text) * 1_000 : toMs(text)));

const Service = z
  .string()
  .regex(/^[-a-z0-9]+\/([-a-z0-9.]+|\*)$/, "must be NAMESPACE/SERVICEACCOUNT or NAMESPACE/*");

/** What the controller reads from its environment (kagent-api section 4, ours at the end); the README lists it. */
const Environment = z.object({
  ...workloadEnvironment,
  ...webhookEnvironment,
  KAGENT_NAMESPACE: z.string().min(1).default(DEFAULT_NAMESPACE),
  KAGENT_CONTROLLER_NAME: z.string().min(1).default("kagent-controller"),
  KAGENT_A2A_CLIENT_TIMEOUT: Wait.default(0),
  KAGENT_MCP_STATELESS: Flag.default(false),
  HTTP_SERVER_ADDRESS: RequiredAddress.default({ host: "0.0.0.0", port: 8083 }),
  A2A_BASE_URL: Base.default("http://127.0.0.1:8083"),
  HEALTH_PROBE_BIND_ADDRESS: Address.default({ host: "0.0.0.0", port: 8082 }),
  WEBHOOK_ADDRESS: Address.default({ host: "0.0.0.0", port: 9443 }),
  METRICS_BIND_ADDRESS: Address.default("off"),
  WATCH_NAMESPACES: Words.default([]),
  AUTH_MODE: z.enum(["trusted-proxy", "jwt", "unsecure"]).default("trusted-proxy"),
  AUTH_USER_ID_CLAIM: z.string().min(1).max(200).default("sub"),
  TOOL_REFRESH_INTERVAL: Wait.default(60_000),
  POSTGRES_DATABASE_URL: z.string().min(1).optional(),
  DEFAULT_MODEL_CONFIG_NAME: z.string().min(1).default(DEFAULT_MODEL_CONFIG),
  LEADER_ELECT: Flag.default(false),
  SESSION_RETENTION_DAYS: Count.default(0),
  AUTH_GROUPS_CLAIM: z.string().min(1).max(200).default("groups"),
  AUTH_JWT_ISSUER: z.string().min(1).optional(),
  AUTH_JWT_AUDIENCE: z.string().min(1).default("kagent"),
  AUTH_JWKS_URL: HttpUrl.optional(),
  AUTH_JWKS_FILE: z.string().min(1).optional(),
  AUTH_TRUSTED_PEERS: Words.default([]),
  AUTH_TRUSTED_SERVICES: Words.pipe(z.array(Service)).default([]),
  AUTH_TOKEN_AUDIENCES: Words.default([]),
  AUTH_UNSECURE_REMOTE: Flag.default(false),
  AUTH_UNSECURE_USER: z.string().min(1).default("admin@kagent.dev"),
  ALLOWED_HOSTS: Words.optional(),
  ALLOWED_ORIGINS: Words.optional(),
  RATE_LIMIT_PER_SECOND: Count.default(50),
  RATE_LIMIT_BURST: Count.default(200),
  WRITE_USERS: Words.default([]),
  WRITE_GROUPS: Words.default([]),
  MCP_SERVER_ADDRESS: Address.default({ host: "0.0.0.0", port: 8084 }),
  AGENT_GATEWAY_URL: Base.optional(),
  KAGENT_CONTROLLER_URL: Base.optional(),
  KAGENT_DATA_DIR: z.string().min(1).default("/data"),
  KAGENT_TOKEN_PATH: z.string().min(1).default(TOKEN_PATH),
  KAGENT_WORKER_ADDRESSES: z.enum(["peer", "any"]).default("peer"),
  KAGENT_POD_IP: z.union([z.ipv4(), z.ipv6()]).optional(),
  KAGENT_DRAIN_SECONDS: Count.default(25),
  HOSTNAME: z.string().min(1).optional(),
  KUBECONFIG: z.string().min(1).optional(),
  LOG_LEVEL: z
    .string()
    .transform((level) => level.toLowerCase())
    .pipe(z.enum(["debug", "info", "warn", "error"]))
    .default("info"),
});
type Environment = z.output<typeof Environment>;

/**
 * Settings of a controller. What it does not know is none of its business; `KAGENT_*` of Services is among that.
 *
 * @throws SettingsError naming every variable that is wrong.
 */
export function controllerSettings(
  variables: Readonly<Record<string, string | undefined>>,
): ControllerSettings {
  const read = check(Environment, variables, "");
  if (!read.ok) throw new SettingsError(`the environment is wrong: ${sentence(read.violations)}`);
  const env = read.value;
  const { KAGENT_NAMESPACE: namespace, KAGENT_CONTROLLER_NAME: controllerName } = env;
  const [first, ...rest] = env.WATCH_NAMESPACES;
  return {
    namespace,
    controllerName,
    watched: first === undefined ? "all" : [first, ...rest],
    http: env.HTTP_SERVER_ADDRESS,
    a2aBaseUrl: env.A2A_BASE_URL,
    agentsUrl: agentsUrl(env),
    a2aTimeoutMs: env.KAGENT_A2A_CLIENT_TIMEOUT,
    mcpSessions: env.KAGENT_MCP_STATELESS ? "stateless" : "stateful",
    auth: authSettings(env),
    trustedPeers: env.AUTH_TRUSTED_PEERS,
    trustedServices: [`${namespace}/*`, ...env.AUTH_TRUSTED_SERVICES],
    tokenAudiences: env.AUTH_TOKEN_AUDIENCES,
    writers: { users: env.WRITE_USERS, groups: env.WRITE_GROUPS },
    store: storeSettings(env),
    retentionDays: env.SESSION_RETENTION_DAYS,
    leaderElect: env.LEADER_ELECT,
    toolRefreshMs: env.TOOL_REFRESH_INTERVAL,
    defaultModelConfig: env.DEFAULT_MODEL_CONFIG_NAME,
    workloads: workloadOptions(env, { controllerUrl: controllerUrl(env), variables }),
    tokenPath: env.KAGENT_TOKEN_PATH,
    workerAddresses: env.KAGENT_WORKER_ADDRESSES,
    logLevel: env.LOG_LEVEL,
    drainMs: env.KAGENT_DRAIN_SECONDS * 1_000,
    ...present("mcp", served(env.MCP_SERVER_ADDRESS)),
    ...present("health", served(env.HEALTH_PROBE_BIND_ADDRESS)),
    ...present("webhook", webhookOf(env)),
    ...present("metrics", served(env.METRICS_BIND_ADDRESS)),
    ...present("hosts", env.ALLOWED_HOSTS),
    ...present("origins", env.ALLOWED_ORIGINS),
    ...present("rate", rateOf(env)),
    ...present("kubeconfig", env.KUBECONFIG),
    ...present("podName", env.HOSTNAME),
    ...present("podIp", env.KAGENT_POD_IP),
  };
}

function served(at: Listen | "off"): Listen | undefined {
  return at === "off" ? undefined : at;
}

function authSettings(env: Environment): AuthSettings {
  if (env.AUTH_MODE === "trusted-proxy") return { mode: "trusted-proxy" };
  if (env.AUTH_MODE === "unsecure")
    return {
      mode: "unsecure",
      from: env.AUTH_UNSECURE_REMOTE ? "anywhere" : "loopback",
      user: env.AUTH_UNSECURE_USER,
    };
  const { AUTH_JWKS_URL: url, AUTH_JWKS_FILE: file, AUTH_JWT_ISSUER: issuer } = env;
  const keys = url === undefined ? file : new URL(url);
  if (keys === undefined || issuer === undefined)
    throw new SettingsError(
      "the environment is wrong: AUTH_MODE jwt needs AUTH_JWT_ISSUER, and AUTH_JWKS_URL or AUTH_JWKS_FILE",
    );
  return {
    mode: "jwt",
    keys,
    issuer,
    audience: env.AUTH_JWT_AUDIENCE,
    userClaim: env.AUTH_USER_ID_CLAIM,
    groupsClaim: env.AUTH_GROUPS_CLAIM,
  };
}

function storeSettings({ POSTGRES_DATABASE_URL: url, KAGENT_DATA_DIR: folder }: Environment) {
  return url === undefined ? { path: join(folder, "kagent.db") } : { url };
}

/** Through the gateway where there is one, else at this controller's Service (decisions 16). */
function agentsUrl(env: Environment): string {
  const { AGENT_GATEWAY_URL: gateway } = env;
  return gateway === undefined ? `${controllerUrl(env)}/api/a2a/` : `${gateway}/agents/`;
}

/** The controller's Service, as pods reach it. */
function controllerUrl(env: Environment): string {
  const { KAGENT_CONTROLLER_NAME: name, KAGENT_NAMESPACE: namespace } = env;
  return env.KAGENT_CONTROLLER_URL ?? `http://${name}.${namespace}:${env.HTTP_SERVER_ADDRESS.port}`;
}

function webhookOf(env: Environment): ControllerSettings["webhook"] {
  const {
    WEBHOOK_ADDRESS: listen,
    KAGENT_NAMESPACE: namespace,
    KAGENT_CONTROLLER_NAME: name,
  } = env;
  if (listen === "off") return undefined;
  return { listen, options: webhookOptions(env, { namespace, name, port: listen.port }) };
}

function rateOf({ RATE_LIMIT_PER_SECOND: perSecond, RATE_LIMIT_BURST: burst }: Environment) {
  return perSecond === 0 ? undefined : { perSecond, burst: Math.max(1, burst) };
}

function present<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: T };
}
