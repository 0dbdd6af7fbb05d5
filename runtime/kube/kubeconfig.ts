import { readFile } from "node:fs/promises";
import { delimiter, dirname } from "node:path";
import { parse } from "yaml";
import * as z from "zod";
import { check, sentence } from "../api/checked.ts";
import { ClusterError } from "../api/cluster-reader.ts";
import type { ChosenCluster, CredentialSource } from "./credentials.ts";
import {
  clientCredentials,
  type KubeconfigEntry,
  plainCredentials,
} from "./kubeconfig-credentials.ts";

const Named = z.looseObject({ name: z.string() });

/** A kubeconfig as far as it is checked before the credentials are worked out. */
const Kubeconfig = z.looseObject({
  "current-context": z.string().nullish(),
  clusters: z
    .array(
      Named.extend({
        cluster: z.looseObject({
          server: z.string().min(1),
          "insecure-skip-tls-verify": z.boolean().nullish(),
        }),
      }),
    )
    .nullish(),
  contexts: z
    .array(
      Named.extend({ context: z.looseObject({ cluster: z.string(), user: z.string().nullish() }) }),
    )
    .nullish(),
  users: z.array(Named.extend({ user: z.unknown() })).nullish(),
});
type Kubeconfig = z.output<typeof Kubeconfig>;

/** Which cluster to talk to. */
export interface KubeconfigSource {
  /** Path, or several as KUBECONFIG holds them (the first file that has a name wins). */
  readonly path: string;
  /** Context; the kubeconfig's current one unless set. */
  readonly context?: string;
}

interface File {
  readonly path: string;
  readonly text: string;
  readonly content: Kubeconfig;
}

interface Choice {
  readonly context: string;
  readonly server: string;
  readonly skipsTls: boolean;
  readonly cluster: KubeconfigEntry;
  readonly user: KubeconfigEntry;
  readonly files: readonly File[];
}

/** 4 MiB per file: a kubeconfig of hundreds of clusters has less. */
const MAX_BYTES = 4 * 1024 * 1024;

/**
 * Reads and checks a kubeconfig. The client library is loaded only when it is needed for the credentials, and then with the
 * first request.
 *
 * @throws ClusterError `invalid` when a file cannot be read, is malformed or does not have the context; messages
 * name paths and fields, never values.
 */
export async function readKubeconfig(source: KubeconfigSource): Promise<ChosenCluster> {
  const { context, server } = await choose(source);
  return { context, server, load: () => load({ ...source, context }) };
}

async function choose(source: KubeconfigSource): Promise<Choice> {
  const paths = source.path.split(delimiter).filter((path) => path !== "");
  const files = await Promise.all(paths.map(async (path) => readOne(path)));
  const wanted =
    source.context ??
    files.map(({ content }) => content["current-context"] ?? "").find((name) => name !== "");
  if (wanted === undefined)
    throw new ClusterError("invalid", `kubeconfig ${source.path} names no current context`);
  const contexts = files.flatMap(({ content }) => content.contexts ?? []);
  const context = contexts.find(({ name }) => name === wanted)?.context;
  if (context === undefined) {
    const known = contexts.map(({ name }) => name).join(", ");
    throw new ClusterError("invalid", `kubeconfig has no context ${wanted}; it has ${known}`);
  }
  const clusters = files.flatMap(({ path, content }) =>
    (content.clusters ?? []).map((each) => ({ ...each, path })),
  );
  const cluster = clusters.find(({ name }) => name === context.cluster);
  if (cluster === undefined)
    throw new ClusterError(
      "invalid",
      `context ${wanted} names cluster ${context.cluster}, which is missing`,
    );
  const users = files.flatMap(({ path, content }) =>
    (content.users ?? []).map((each) => ({ ...each, path })),
  );
  const user = users.find(({ name }) => name === context.user);
  return {
    context: wanted,
    server: shownServer(cluster.cluster.server),
    skipsTls: cluster.cluster["insecure-skip-tls-verify"] === true,
    cluster: { content: cluster.cluster, directory: dirname(cluster.path) },
    user: { content: user?.user ?? {}, directory: dirname(user?.path ?? cluster.path) },
    files,
  };
}

async function load(source: KubeconfigSource): Promise<CredentialSource> {
  const { server, skipsTls, cluster, user, files, context } = await choose(source);
  if (server.startsWith("http:") && !skipsTls)
    throw new ClusterError(
      "invalid",
      "an API server without TLS is used only with insecure-skip-tls-verify: true in the kubeconfig",
    );
  return (await plainCredentials(cluster, user)) ?? (await clientCredentials(files, context));
}

async function readOne(path: string): Promise<File> {
  const text = await readText(path);
  const parsed = parsedYaml(text);
  // not the parser's own words: they quote the file
  if (parsed === undefined)
    throw new ClusterError("invalid", `kubeconfig ${path} is not valid YAML`);
  const checked = check(Kubeconfig, parsed.value, "kubeconfig");
  if (!checked.ok) throw new ClusterError("invalid", `${path}: ${sentence(checked.violations)}`);
  return { path, text, content: checked.value };
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
