import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { stringify } from "yaml";
import { poll } from "../poll.ts";
import { NODE_IMAGE } from "./images.ts";
import { useNodeCluster } from "./use-node-cluster.ts";

const run = promisify(execFile);

const RESTRICTED = {
  apiVersion: "v1",
  kind: "Namespace",
  metadata: { name: "strict", labels: { "pod-security.kubernetes.io/enforce": "restricted" } },
};

const SERVER = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "server", namespace: "strict" },
  spec: {
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 65_532,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [
      {
        name: "server",
        image: NODE_IMAGE,
        args: ["-e", "require('http').createServer((q, s) => s.end('hello')).listen(8080)"],
        readinessProbe: { httpGet: { path: "/", port: 8080 }, periodSeconds: 1 },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
      },
    ],
  },
};

describe("a cluster with a node", () => {
  const cluster = useNodeCluster();

  async function kubectl(args: readonly string[], input?: string): Promise<string> {
    const { kubectl: command, kubeconfigPath } = cluster();
    const work = run(command, ["--kubeconfig", kubeconfigPath, ...args], { timeout: 30_000 });
    work.child.stdin?.end(input);
    return (await work).stdout;
  }

  it("runs a pod under the restricted Pod Security Standard", async () => {
    await kubectl(
      ["apply", "-f", "-"],
      [RESTRICTED, SERVER].map((o) => stringify(o)).join("---\n"),
    );
    await poll(
      async () => {
        const ready = "jsonpath={.status.containerStatuses[0].ready}";
        const text = await kubectl(["-n", "strict", "get", "pod", "server", "-o", ready]);
        return text === "true" ? true : undefined;
      },
      { what: "the pod ready", timeoutMs: 60_000, signal: AbortSignal.timeout(60_000) },
    );
  }).timeout(90_000);
});
