import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "mocha";
import { type ApiServer, startApiServer } from "./api-server.ts";
import { MissingGoError } from "./go-build.ts";

/** 90 minutes: the first run on a machine builds etcd and kube-apiserver (10 to 20 minutes on two cores), or waits for who does. */
const START_MS = 5_400_000;
/** 60 s: both processes have 20 s each to go. */
const STOP_MS = 60_000;

/**
 * Gives the suite around it an API server of its own: started before its tests, stopped and removed after them.
 *
 * Where it must be built and there is no Go, the suite is skipped with the reason on stderr.
 *
 * @returns Gives the server once the tests run.
 * @example
 * describe("runtime/kube/client", () => {
 *   const cluster = useApiServer();
 *   it("lists pods", async () => { await list(cluster().kubeconfigPath); });
 * });
 */
export function useApiServer(): () => ApiServer {
  let dir: string | undefined;
  let server: ApiServer | undefined;

  before(async function () {
    this.timeout(START_MS);
    dir = await mkdtemp(join(tmpdir(), "kagent-cluster-"));
    try {
      server = await startApiServer({ dir, signal: AbortSignal.timeout(START_MS) });
    } catch (error) {
      if (!(error instanceof MissingGoError)) throw error;
      process.stderr.write(`cluster: skipped, no kube-apiserver at hand: ${error.message}\n`);
      this.skip();
    }
  });

  after(async function () {
    this.timeout(STOP_MS);
    await server?.stop();
    if (dir !== undefined) await rm(dir, { recursive: true, force: true });
  });

  return () => {
    if (server === undefined) throw new Error("failed to find the API server: it is not started");
    return server;
  };
}
