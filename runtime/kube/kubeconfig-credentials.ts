import { readFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import type { KubeConfig } from "@kubernetes/client-node";
import * as z from "zod";
import { ClusterError } from "../api/cluster-reader.ts";
import type { CredentialSource, RequestCredentials } from "./credentials.ts";

/** A cluster entry that needs nothing but files. */
const PlainCluster = z.strictObject({
  server: z.string(),
  "certificate-authority": z.string().nullish(),
  "certificate-authority-data": z.string().nullish(),
  "insecure-skip-tls-verify": z.boolean().nullish(),
  "tls-server-name": z.string().nullish(),
  extensions: z.unknown().optional(),
});

/** A user entry that needs nothing but files. */
const PlainUser = z.strictObject({
  token: z.string().nullish(),
  tokenFile: z.string().nullish(),
  "client-certificate": z.string().nullish(),
  "client-certificate-data": z.string().nullish(),
  "client-key": z.string().nullish(),
  "client-key-data": z.string().nullish(),
  extensions: z.unknown().optional(),
});

/** An entry of a kubeconfig and the folder that its relative paths start at. */
export interface KubeconfigEntry {
  readonly content: unknown;
  readonly directory: string;
}

/**
 * Credentials of a kubeconfig that has them in clear or in files: token, token file, client certificate.
 *
 * @returns `undefined` when the entries ask for more (a command, a proxy, a password): the client library knows how.
 */
export async function plainCredentials(
  cluster: KubeconfigEntry,
  user: KubeconfigEntry,
): Promise<CredentialSource | undefined> {
  const plainCluster = PlainCluster.safeParse(cluster.content);
  const plainUser = PlainUser.safeParse(user.content);
  if (!plainCluster.success || !plainUser.success) return undefined;
  const { data: to } = plainCluster;
  const { data: from } = plainUser;
  const ca = await fileOrData(
    to["certificate-authority"],
    to["certificate-authority-data"],
    cluster,
  );
  const cert = await fileOrData(from["client-certificate"], from["client-certificate-data"], user);
  const key = await fileOrData(from["client-key"], from["client-key-data"], user);
  const servername = to["tls-server-name"];
  const fixed: RequestCredentials = {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(to["insecure-skip-tls-verify"] === true ? { rejectUnauthorized: false } : {}),
    ...(isText(servername) ? { servername } : {}),
  };
  const { token, tokenFile } = from;
  return async () => {
    // read for each request: whoever writes the file renews the token in it
    const bearer = isText(tokenFile) ? (await readText(tokenFile, user)).trim() : token;
    return isText(bearer) ? { ...fixed, headers: { authorization: `Bearer ${bearer}` } } : fixed;
  };
}

function isText(value: string | null | undefined): value is string {
  return typeof value === "string" && value !== "";
}

async function fileOrData(
  file: string | null | undefined,
  data: string | null | undefined,
  entry: KubeconfigEntry,
): Promise<string | undefined> {
  if (isText(data)) return Buffer.from(data, "base64").toString("utf8");
  return isText(file) ? readText(file, entry) : undefined;
}

async function readText(path: string, { directory }: KubeconfigEntry): Promise<string> {
  const absolute = resolve(directory, path);
  try {
    return await readFile(absolute, "utf8");
  } catch (error) {
    throw new ClusterError("invalid", `failed to read ${absolute}, which the kubeconfig names`, {
      cause: error,
    });
  }
}

/**
 * Credentials as the client library works them out, with commands and proxies. Loading it takes most of a second.
 *
 * @param files - Path and text of each kubeconfig; the first that has a name wins, as in kubectl.
 */
export async function clientCredentials(
  files: readonly { readonly path: string; readonly text: string }[],
  context: string,
): Promise<CredentialSource> {
  const { KubeConfig: Client } = await clientLibrary();
  const merged = new Client();
  for (const { path, text } of files) {
    const one = new Client();
    if (!accepts(one, text))
      throw new ClusterError("invalid", `kubeconfig ${path} is not understood by the client`);
    one.makePathsAbsolute(dirname(path));
    // the client's own merge refuses a name that comes twice
    merged.clusters = firstOfName(merged.clusters, one.clusters);
    merged.users = firstOfName(merged.users, one.users);
    merged.contexts = firstOfName(merged.contexts, one.contexts);
  }
  merged.setCurrentContext(context);
  return async () => {
    const options: RequestCredentials = {};
    await merged.applyToHTTPSOptions(options);
    if (merged.getCurrentCluster()?.proxyUrl !== undefined) return options;
    const { agent: _ownAgent, ...rest } = options;
    return rest;
  };
}

async function clientLibrary() {
  try {
    return await import("@kubernetes/client-node");
  } catch (error) {
    throw new ClusterError(
      "invalid",
      "this kubeconfig needs the Kubernetes client library (a command, a proxy or a password), which failed to load; " +
        "name a token or a client certificate instead",
      { cause: error },
    );
  }
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
