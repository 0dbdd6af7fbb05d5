import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { ClusterError } from "../api/cluster-reader.ts";
import type { ChosenCluster } from "./credentials.ts";
import { type KubeconfigSource, readKubeconfig } from "./kubeconfig.ts";

/** What the kubelet tells a pod about the API server, named as the environment variables are. */
export interface InClusterEnvironment {
  readonly KUBERNETES_SERVICE_HOST?: string | undefined;
  readonly KUBERNETES_SERVICE_PORT?: string | undefined;
}

/** Where the kubelet mounts the ServiceAccount of a pod. */
const SERVICE_ACCOUNT = "/var/run/secrets/kubernetes.io/serviceaccount";

/**
 * The cluster that a role works on: what the kubeconfig names if there is one, else the cluster of the pod.
 *
 * @throws ClusterError `invalid` when neither is there, or the kubeconfig cannot be used.
 */
export async function roleCluster(
  environment: InClusterEnvironment,
  kubeconfig: KubeconfigSource | undefined,
): Promise<ChosenCluster> {
  if (kubeconfig !== undefined) return readKubeconfig(kubeconfig);
  const inCluster = podCluster(environment);
  if (inCluster !== undefined) return inCluster;
  throw new ClusterError(
    "invalid",
    "no cluster to work on: set KUBECONFIG, or run in a pod with a mounted ServiceAccount token",
  );
}

/**
 * The cluster of the pod, by its ServiceAccount. Token and authority are read for each request: the kubelet rotates
 * both.
 *
 * @param directory - Where they are mounted; the kubelet's place unless set.
 * @returns `undefined` outside of a pod.
 */
export function podCluster(
  environment: InClusterEnvironment,
  directory = SERVICE_ACCOUNT,
): ChosenCluster | undefined {
  const { KUBERNETES_SERVICE_HOST: host = "", KUBERNETES_SERVICE_PORT: port = "443" } = environment;
  if (host === "") return undefined;
  const address = host.includes(":") ? `[${host}]` : host;
  return {
    context: "in-cluster",
    server: `https://${address}:${port}`,
    load: () =>
      Promise.resolve(async () => {
        const [ca, token] = await Promise.all([
          mounted(directory, "ca.crt"),
          mounted(directory, "token"),
        ]);
        return { ca, headers: { authorization: `Bearer ${token.trim()}` } };
      }),
  };
}

async function mounted(directory: string, name: string): Promise<string> {
  try {
    return await readFile(join(directory, name), "utf8");
  } catch (error) {
    throw new ClusterError(
      "invalid",
      `failed to read ${join(directory, name)}; does the pod mount its ServiceAccount token?`,
      { cause: error },
    );
  }
}
