import { readFile } from "node:fs/promises";
import { delimiter, dirname } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import { parse } from "yaml";
import * as z from "zod";
import { check, sentence } from "../api/checked.ts";
import { ClusterError } from "../api/cluster-reader.ts";

const Named = z.looseObject({ name: z.string() });

/** A kubeconfig as far as it is checked before the client reads it; everything else is the client's. */
const Kubeconfig = z.looseObject({
  "current-context": z.string().nullish(),
  clusters: z
    .array(Named.extend({ cluster: z.looseObject({ server: z.string().min(1) }) }))
    .nullish(),
  contexts: z
    .array(
      Named.extend({ context: z.looseObject({ cluster: z.string(), user: z.string().nullish() }) }),
    )
    .nullish(),
  users: z.array(Named).nullish(),
});
type Kubeconfig = z.output<typeof Kubeconfig>;

/** Which cluster to talk to. */
export interface KubeconfigSource {
  /** Path, or several as KUBECONFIG holds them (the first file that has a name wins). */
  readonly path: string;
  /** Context; the kubeconfig's current one unless set. */
  readonly context?: string;
}

/** A kubeconfig that was read and checked. */
export interface ChosenCluster {
  /** Name of the context. */
  readonly context: string;
  /** Address of the API server, without user information and query. */
  readonly server: string;
  /** The client's own form, read anew: files and commands that hold credentials are looked at again. */
  load(): Promise<KubeConfig>;
}

/** 4 MiB per file: a kubeconfig of hundreds of clusters has less. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Reads and checks a kubeconfig without loading the client library, which takes most of a second.
 *
 * @throws ClusterError `invalid` when a file cannot be read, is malformed or does not have the context; messages
 * name paths and fields, never values.
 */
export async function readKubeconfig(source: KubeconfigSource): Promise<ChosenCluster> {
  const paths = source.path.split(delimiter).filter((path) => path !== "");
  const files = await Promise.all(paths.map(async (path) => readOne(path)));
  const contexts = files.flatMap((file) => file.contexts ?? []);
  const wanted =
    source.context ??
    files.map((file) => file["current-context"] ?? "").find((name) => name !== "");
  if (wanted === undefined)
    throw new ClusterError("invalid", `kubeconfig ${source.path} names no current context`);
  const context = contexts.find(({ name }) => name === wanted);
  if (context === undefined) {
    const known = contexts.map(({ name }) => name).join(", ");
    throw new ClusterError("invalid", `kubeconfig has no context ${wanted}; it has ${known}`);
  }
  const cluster = files
    .flatMap((file) => file.clusters ?? [])
    .find(({ name }) => name === context.context.cluster);
  if (cluster === undefined)
    throw new ClusterError(
      "invalid",
      `context ${wanted} names cluster ${context.context.cluster}, which is missing`,
    );
  return {
    context: wanted,
    server: shownServer(cluster.cluster.server),
    load: () => load(paths, wanted),
  };
}

async function readOne(path: string): Promise<Kubeconfig> {
  const parsed = parsedYaml(await readText(path));
  // not the parser's own words: they quote the file
  if (parsed === undefined)
    throw new ClusterError("invalid", `kubeconfig ${path} is not valid YAML`);
  const checked = check(Kubeconfig, parsed.value, "kubeconfig");
  if (!checked.ok) throw new ClusterError("invalid", `${path}: ${sentence(checked.violations)}`);
  return checked.value;
}

async function readText(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    if (bytes.length <= MAX_BYTES) return bytes.toString("utf8");
  } catch (error) {
    throw new ClusterError("invalid", `failed to read kubeconfig ${path}`, { cause: error });
  }
  throw new ClusterError("invalid", `kubeconfig ${path} is larger than ${MAX_BYTES} bytes`);
}

function parsedYaml(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: parse(text) };
  } catch {
    return undefined;
  }
}

function shownServer(server: string): string {
  if (!URL.canParse(server)) throw new ClusterError("invalid", "the cluster's server is not a URL");
  const { protocol, host, pathname } = new URL(server);
  return `${protocol}//${host}${pathname === "/" ? "" : pathname}`;
}

/** First wins, as in kubectl; the client's own merge refuses a name that comes twice. */
async function load(paths: readonly string[], context: string): Promise<KubeConfig> {
  const { KubeConfig: Client } = await import("@kubernetes/client-node");
  const merged = new Client();
  for (const path of paths) {
    const one = new Client();
    const text = await readText(path);
    if (!accepts(one, text))
      throw new ClusterError("invalid", `kubeconfig ${path} is not understood by the client`);
    one.makePathsAbsolute(dirname(path));
    merged.clusters = firstOfName(merged.clusters, one.clusters);
    merged.users = firstOfName(merged.users, one.users);
    merged.contexts = firstOfName(merged.contexts, one.contexts);
  }
  merged.setCurrentContext(context);
  return merged;
}

/** Whether the client reads `text`; its own words quote the file. */
function accepts(config: KubeConfig, text: string): boolean {
  try {
    config.loadFromString(text);
    return true;
  } catch {
    return false;
  }
}

function firstOfName<T extends { readonly name: string }>(some: T[], more: readonly T[]): T[] {
  const names = new Set(some.map(({ name }) => name));
  return [...some, ...more.filter(({ name }) => !names.has(name))];
}
