import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, it } from "mocha";
import { RESOURCES } from "../../runtime/api/cluster.ts";
import { KubeCluster } from "../../runtime/kube/kube-cluster.ts";
import { readKubeconfig } from "../../runtime/kube/kubeconfig.ts";
import { LeaderElection } from "../../runtime/kube/leader-election.ts";
import { systemClock } from "../../runtime/process/clock.ts";
import { silentLog } from "../../runtime/telemetry/log.ts";
import { useApiServer } from "./use-api-server.ts";

const soon = (): AbortSignal => AbortSignal.timeout(60_000);
const HOLDER = fileURLToPath(new URL("lease-holder.ts", import.meta.url));

describe("runtime/kube/leader-election on a real API server", () => {
  const server = useApiServer();
  let cluster: KubeCluster;
  let children: ChildProcess[];
  let leases = 0;
  let lease: { readonly namespace: string; readonly name: string };

  beforeEach(async () => {
    cluster = new KubeCluster(await readKubeconfig({ path: server().kubeconfigPath }));
    children = [];
    lease = { namespace: "default", name: `lease-${++leases}` };
  });
  afterEach(async () => {
    const running = children.filter(
      (child) => child.exitCode === null && child.signalCode === null,
    );
    const exits = running.map((child) => once(child, "exit"));
    for (const child of running) child.kill("SIGKILL");
    await Promise.all(exits);
    cluster.close();
  });

  /** A process that leads. */
  async function leader(identity: string): Promise<ChildProcess> {
    const args = [HOLDER, server().kubeconfigPath, lease.namespace, lease.name, identity];
    const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
    children.push(child);
    const [said] = (await once(child.stdout, "data", { signal: soon() })) as [Buffer];
    assert.equal(said.toString(), "leads\n");
    return child;
  }

  /** A candidate in this process; resolves to the monotonic time when it leads. */
  function follower(identity: string) {
    const end = new AbortController();
    const leads = Promise.withResolvers<number>();
    const lost = Promise.withResolvers<unknown>();
    const election = new LeaderElection(
      { cluster, clock: systemClock, log: silentLog },
      {
        lease,
        identity,
        onLead: async (signal) => {
          leads.resolve(performance.now());
          await new Promise((resolve) => {
            signal.addEventListener("abort", resolve, { once: true });
          });
          lost.resolve(signal.reason);
        },
      },
    );
    const run = election.run(end.signal);
    return {
      election,
      leads: leads.promise,
      lost: lost.promise,
      stop: async () => {
        end.abort(new Error("stop"));
        await run;
      },
    };
  }
  const holder = async () => {
    const spec = (await cluster.get(RESOURCES.Lease, lease, soon()))?.["spec"];
    return (spec as { readonly holderIdentity?: string } | undefined)?.holderIdentity;
  };

  it("hands over within 20 s when the leader is killed", async () => {
    const one = await leader("one");
    const two = follower("two");
    // it has seen the lease renewed
    await systemClock.sleep(5_000, soon());
    assert.equal(two.election.isLeader, false);
    const killedAt = performance.now();
    one.kill("SIGKILL");
    const seconds = ((await two.leads) - killedAt) / 1000;
    assert.ok(seconds > 10 && seconds < 20, `${seconds} s`);
    assert.equal(await holder(), "two");
    await two.stop();
    assert.ok(["", undefined].includes(await holder()), "it gave the lease away");
  });

  it("hands over within a few seconds when the leader ends in good order", async () => {
    const one = await leader("one");
    const two = follower("two");
    const endedAt = performance.now();
    one.kill("SIGTERM");
    const seconds = ((await two.leads) - endedAt) / 1000;
    assert.ok(seconds < 5, `${seconds} s`);
    await two.stop();
  });

  it("leads through a restart of the API server", async () => {
    const one = follower("one");
    await one.leads;
    await server().restart(soon());
    // longer than the deadline, so that it must have been renewed
    await systemClock.sleep(12_000, soon());
    assert.equal(one.election.isLeader, true);
    await one.stop();
  });
});
