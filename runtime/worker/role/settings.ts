import { parseArgs } from "node:util";
import * as z from "zod";
import { check, sentence } from "../../api/checked.ts";
import { DEFAULT_NAMESPACE } from "../../api/names.ts";
import { TOKEN_PATH } from "../../process/auth/own-token.ts";

/** Arguments or environment that a role cannot start with; the message says all that is wrong. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
}

/** How a worker runs. */
export interface WorkerSettings {
  /** Interface. */
  readonly host: string;
  /** TCP port; 0 takes a free one. */
  readonly port: number;
  /** Folders with the files of agents. */
  readonly folders: readonly string[];
  /** Namespace of all its agents. */
  readonly namespace: string;
  /** The one agent of a dedicated worker; absent: pooled, every agent that is in the folders. */
  readonly name?: string;
  /** The controller, where sessions are stored. */
  readonly controllerUrl: string;
  /** What cards name as address; absent: derived from the name, or from {@link podIp}. */
  readonly baseUrl?: string;
  /** Address under which others reach this process; absent: the first one of the machine. */
  readonly podIp?: string;
  /** `token`: callers prove themselves; `unsecure`: nobody asks. Unset: `token` unless only this machine is served. */
  readonly auth?: "token" | "unsecure";
  /** `system:serviceaccount:NAMESPACE:ACCOUNT` of services that may speak for users. */
  readonly trustedCallers: readonly string[];
  /** File with the token that proves this process to others. */
  readonly tokenPath: string;
  /** Ollama for ModelConfigs that name no host. */
  readonly ollamaHost?: string;
  readonly logLevel: "debug" | "info" | "warn" | "error";
  /** Milliseconds from SIGTERM to the end; below `terminationGracePeriodSeconds`. */
  readonly drainMs: number;
}

/** What `--help` prints. */
const WORKER_USAGE =
  "worker [--host HOST] [--port PORT] [--filepath FOLDER ...]   agents from mounted Secrets";

/** kagent's folder and port (kagent-api section 2.1). */
const DEFAULTS = { folder: "/config", port: "8080", host: "127.0.0.1" };

const Port = z
  .string()
  .regex(/^\d{1,5}$/, "must be a port number")
  .transform(Number)
  .refine((port) => port <= 65_535, "must be at most 65535");

const Account = z
  .string()
  .regex(/^[-a-z0-9]+:[-a-z0-9.]+$/, "must be NAMESPACE:SERVICEACCOUNT")
  .transform((account) => `system:serviceaccount:${account}`);

const words = (text: string): readonly string[] =>
  text
    .split(",")
    .map((word) => word.trim())
    .filter((word) => word !== "");

/** What a worker reads from its environment; the README lists it. */
const Environment = z.object({
  PORT: Port.optional(),
  CONFIG_DIR: z.string().min(1).optional(),
  KAGENT_NAMESPACE: z.string().min(1).default(DEFAULT_NAMESPACE),
  KAGENT_NAME: z.string().min(1).optional(),
  KAGENT_URL: z.url({ protocol: /^https?$/, error: "must be the URL of the controller" }),
  KAGENT_BASE_URL: z.url({ protocol: /^https?$/ }).optional(),
  KAGENT_POD_IP: z.union([z.ipv4(), z.ipv6()]).optional(),
  KAGENT_WORKER_AUTH: z.enum(["token", "unsecure"]).optional(),
  KAGENT_TRUSTED_CALLERS: z.string().transform(words).pipe(z.array(Account)).optional(),
  KAGENT_TOKEN_PATH: z.string().min(1).default(TOKEN_PATH),
  OLLAMA_API_BASE: z.string().min(1).optional(),
  LOG_LEVEL: z
    .string()
    .transform((level) => level.toLowerCase())
    .pipe(z.enum(["debug", "info", "warn", "error"]))
    .default("info"),
  /** Seconds. */
  KAGENT_DRAIN_SECONDS: z
    .string()
    .regex(/^\d{1,4}$/, "must be whole seconds")
    .default("25"),
});

const Arguments = z.object({ host: z.string().min(1), port: Port });

/**
 * Settings from arguments (kagent's, section 2.1) and environment; arguments win.
 *
 * @throws SettingsError naming everything that is wrong.
 */
export function workerSettings(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): WorkerSettings {
  const env = checked(Environment, environment, "the environment is wrong");
  const given = argumentsOf(args);
  const { host, port } = checked(
    Arguments,
    { host: given.host ?? DEFAULTS.host, port: given.port ?? String(env.PORT ?? DEFAULTS.port) },
    "the arguments are wrong",
  );
  const folders = given.filepath ?? words(env.CONFIG_DIR ?? DEFAULTS.folder);
  return {
    host,
    port,
    folders,
    namespace: env.KAGENT_NAMESPACE,
    controllerUrl: env.KAGENT_URL,
    trustedCallers: env.KAGENT_TRUSTED_CALLERS ?? [controllerAccount(env)],
    tokenPath: env.KAGENT_TOKEN_PATH,
    logLevel: env.LOG_LEVEL,
    drainMs: Number(env.KAGENT_DRAIN_SECONDS) * 1_000,
    ...optional("name", env.KAGENT_NAME),
    ...optional("baseUrl", env.KAGENT_BASE_URL),
    ...optional("podIp", env.KAGENT_POD_IP),
    ...optional("auth", env.KAGENT_WORKER_AUTH),
    ...optional("ollamaHost", env.OLLAMA_API_BASE),
  };
}

function argumentsOf(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        host: { type: "string" },
        port: { type: "string" },
        filepath: { type: "string", multiple: true },
      },
    });
    return values;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SettingsError(`${reason}\nusage: ${WORKER_USAGE}`, { cause: error });
  }
}

function checked<T>(schema: z.ZodType<T>, input: unknown, what: string): T {
  const result = check(schema, input, "");
  if (result.ok) return result.value;
  throw new SettingsError(`${what}: ${sentence(result.violations)}`);
}

/** The controller's ServiceAccount: named as its Service, which KAGENT_URL names (`http://NAME.NAMESPACE:8083`). */
function controllerAccount(env: z.output<typeof Environment>): string {
  const [name, namespace] = new URL(env.KAGENT_URL).hostname.split(".");
  const known = namespace !== undefined && !/^\d/.test(namespace);
  const account = known
    ? `${namespace}:${name ?? ""}`
    : `${env.KAGENT_NAMESPACE}:kagent-controller`;
  return `system:serviceaccount:${account}`;
}

function optional<K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } {
  return (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: T };
}
