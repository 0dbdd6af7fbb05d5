import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "mocha";
import { MissingGoError } from "../go-build.ts";
import { type NodeCluster, startNodeCluster } from "./node-cluster.ts";
import { NodeUnavailableError } from "./packages.ts";

/** 90 minutes: the first run on a machine builds Kubernetes. */
const START_MS = 5_400_000;
/** 60 s to end a dozen processes. */
const STOP_MS = 60_000;

/**
 * Gives the suite around it a cluster with a node that runs pods; skipped with the reason on stderr where this
 * machine cannot have one.
 *
 * @returns Gives the cluster once the tests run.
 */
export function useNodeCluster(): () => NodeCluster {
  let dir: string | undefined;
  let cluster: NodeCluster | undefined;

  before(async function () {
    this.timeout(START_MS);
    dir = await mkdtemp(join(tmpdir(), "kagent-node-"));
    try {
      cluster = await startNodeCluster({ dir, signal: AbortSignal.timeout(START_MS) });
    } catch (error) {
      if (!(error instanceof MissingGoError || error instanceof NodeUnavailableError)) throw error;
      process.stderr.write(`cluster: skipped, no node for pods: ${error.message}\n`);
      this.skip();
    }
  });

  after(async function () {
    this.timeout(STOP_MS);
    await cluster?.stop();
    if (dir !== undefined) await rm(dir, { recursive: true, force: true });
  });

  return () => {
    if (cluster === undefined) throw new Error("failed to find the cluster: it is not started");
    return cluster;
  };
}
