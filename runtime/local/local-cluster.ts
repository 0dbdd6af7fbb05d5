import { homedir } from "node:os";
import { join } from "node:path";
import type { ClusterReader } from "../api/cluster-reader.ts";
import { MAX_CLUSTER_NAME } from "../api/tool-catalogue.ts";
import { openCluster } from "../kube/cluster-reader.ts";
import type { Clock } from "../process/clock.ts";
import { demoCluster } from "../toolservers/demo/demo-cluster.ts";
import type { LocalOptions } from "./options.ts";

/** Name of the demo cluster: the home cluster of the stacks' defaults. */
const DEMO_NAME = "services-amer";

/** The cluster a local run reads. */
export interface LocalCluster {
  readonly reader: ClusterReader;
  /** Name in the names of tools: at most 14 characters of a DNS label. */
  readonly name: string;
  /** What it is, for people. */
  readonly label: string;
  /** Ends its connections. */
  close(): void;
  /** When the demo began, in milliseconds since 1970; absent for a real cluster. */
  readonly demoBegin?: number;
}

/**
 * The cluster that `KUBECONFIG` or `--context` names, else the demo cluster. `~/.kube/config` is read
 * only when a context was named (decisions 29).
 *
 * @throws ClusterError when the kubeconfig cannot be used.
 */
export async function openLocalCluster(
  options: Pick<LocalOptions, "context" | "kubeconfig">,
  clock: Clock,
  signal: AbortSignal,
): Promise<LocalCluster> {
  const { context, kubeconfig } = options;
  if (context === undefined && kubeconfig === undefined) {
    const demoBegin = clock.now();
    return {
      close: () => undefined,
      demoBegin,
      reader: demoCluster({ clock, name: DEMO_NAME, begin: demoBegin }),
      name: DEMO_NAME,
      label: `demo cluster "${DEMO_NAME}" (stand-in data); set KUBECONFIG or --context for a real one`,
    };
  }
  const path = kubeconfig ?? join(homedir(), ".kube", "config");
  const reader = await openCluster(
    { path, clock, ...(context === undefined ? {} : { context }) },
    signal,
  );
  const { version, server } = await identity(reader, signal);
  return {
    reader,
    close: () => {
      reader.close();
    },
    name: toolClusterName(reader.name),
    label: `${reader.name} (Kubernetes ${version} at ${server}), read only`,
  };
}

/** Asks who answers; a reader that fails at that is closed. */
async function identity(
  reader: Awaited<ReturnType<typeof openCluster>>,
  signal: AbortSignal,
): Promise<{ readonly version: string; readonly server: string }> {
  try {
    return await reader.identity(signal);
  } catch (error) {
    reader.close();
    throw error;
  }
}

/** A context's name as part of tools' names: lower case, digits and `-`, at most 14 characters. */
function toolClusterName(context: string): string {
  const last = context.split(/[/:@]/).at(-1) ?? "";
  const name = last
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, MAX_CLUSTER_NAME)
    .replaceAll(/^-+|-+$/g, "");
  return name === "" ? "local" : name;
}
