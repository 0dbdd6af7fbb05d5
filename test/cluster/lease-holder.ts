import { KubeCluster } from "../../runtime/kube/kube-cluster.ts";
import { readKubeconfig } from "../../runtime/kube/kubeconfig.ts";
import { LeaderElection } from "../../runtime/kube/leader-election.ts";
import { systemClock } from "../../runtime/process/clock.ts";
import { silentLog } from "../../runtime/telemetry/log.ts";

// A process of its own that competes for a lease and says `leads` when it has it: one that can be killed.
// Arguments: kubeconfig, namespace and name of the lease, identity. Ends with SIGTERM or its standard input.

const [path = "", namespace = "", name = "", identity = ""] = process.argv.slice(2);
const cluster = new KubeCluster(await readKubeconfig({ path }));
const end = new AbortController();
process.on("SIGTERM", () => {
  end.abort(new Error("terminated"));
});
// the end of the one who started it is the end of its standard input
process.stdin.on("end", () => {
  end.abort(new Error("left alone"));
});
process.stdin.resume();
process.stdin.unref();

const deps = { cluster, clock: systemClock, log: silentLog };
const election = new LeaderElection(deps, {
  lease: { namespace, name },
  identity,
  onLead: async (signal) => {
    process.stdout.write("leads\n");
    await new Promise((resolve) => {
      signal.addEventListener("abort", resolve, { once: true });
    });
  },
});
await election.run(end.signal);
cluster.close();
process.exit(0);
