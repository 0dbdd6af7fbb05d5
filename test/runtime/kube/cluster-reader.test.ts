import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { ServerResponse } from "node:http";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { after, afterEach, before, beforeEach, describe, it } from "mocha";
import { stringify } from "yaml";
import type { ClusterReader } from "../../../runtime/api/cluster-reader.ts";
import { type ApiResource, ClusterError } from "../../../runtime/api/cluster-reader.ts";
import { type KubeClusterReader, openCluster } from "../../../runtime/kube/cluster-reader.ts";
import { demoCluster } from "../../../runtime/toolservers/demo/demo-cluster.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { DEMO_FACTS, podOf } from "../toolservers/demo/demo-facts.ts";
import { clusterReaderContract } from "../toolservers/kubernetes/cluster-reader-contract.ts";
import { ApiPeer, type ApiPeerOptions, status } from "./api-peer.ts";

const open = new AbortController().signal;
const TOKEN = "token-of-the-tests";

let directory: string;

function peerOptions(): ApiPeerOptions {
  const cluster = demoCluster({ clock: new FakeClock(), name: "services-amer" });
  return { cluster, token: TOKEN, discovery: "aggregated", pageSize: 500 };
}

interface KubeconfigParts {
  readonly server: string;
  readonly token?: string;
  readonly context?: string;
  readonly skipTls?: boolean;
}

async function kubeconfig(name: string, parts: KubeconfigParts): Promise<string> {
  const { server, token = TOKEN, context = "peer", skipTls = true } = parts;
  const path = join(directory, name);
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": context,
    clusters: [{ name: context, cluster: { server, "insecure-skip-tls-verify": skipTls } }],
    users: [{ name: context, user: { token } }],
    contexts: [{ name: context, context: { cluster: context, user: context } }],
  };
  await writeFile(path, stringify(config));
  return path;
}

before(async () => {
  directory = await mkdtemp(join(tmpdir(), "kube-"));
});
after(async () => rm(directory, { recursive: true }));

for (const discovery of ["aggregated", "lists"] as const)
  clusterReaderContract(
    `runtime/kube/cluster-reader (discovery: ${discovery})`,
    DEMO_FACTS,
    async () => {
      // pages of 7, so that every list takes several requests
      const peer = new ApiPeer({ ...peerOptions(), discovery, pageSize: 7 });
      const path = await kubeconfig(`contract-${discovery}`, { server: await peer.start() });
      // what the parts declare apart must fit: this line is where the compiler checks it
      const reader: ClusterReader & KubeClusterReader = await openCluster({ path }, open);
      return {
        reader,
        close: async () => {
          reader.close();
          await peer.stop();
        },
      };
    },
  );

describe("runtime/kube/cluster-reader", () => {
  let peer: ApiPeer;
  let server: string;
  let reader: KubeClusterReader;
  let pods: ApiResource;

  beforeEach(async function () {
    this.timeout(30_000); // the client library loads for seconds on a busy machine
    peer = new ApiPeer(peerOptions());
    server = await peer.start();
    reader = await openCluster({ path: await kubeconfig("config", { server }) }, open);
    const found = (await reader.resources(open)).resources.find(({ plural }) => plural === "pods");
    assert.ok(found);
    pods = found;
    peer.requests.length = 0;
  });
  afterEach(async () => {
    reader.close();
    await peer.stop();
  });

  /** The error of `work`, which has to be a ClusterError. */
  async function failure(work: Promise<unknown>): Promise<ClusterError> {
    const error: unknown = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    assert.ok(error instanceof ClusterError, String(error));
    return error;
  }

  function instead(answer: (response: ServerResponse, path: string) => void): void {
    peer.options.instead = (path, response) => {
      answer(response, path);
      return true;
    };
  }

  it("makes no request before it is asked something", async () => {
    await openCluster({ path: await kubeconfig("quiet", { server }) }, open);
    assert.deepEqual(peer.requests, []);
  });

  it("asks the server what it serves once a minute", async () => {
    const clock = new FakeClock();
    const path = await kubeconfig("clocked", { server });
    const clocked = await openCluster({ path, clock }, open);
    await clocked.resources(open);
    await clocked.resources(open);
    assert.equal(peer.requests.length, 2);
    await clock.advance(60_000);
    await clocked.resources(open);
    assert.equal(peer.requests.length, 4);
    clocked.close();
  });

  for (const discovery of ["aggregated", "lists"] as const)
    it(`names an API group that does not answer and serves the rest (discovery: ${discovery})`, async () => {
      Object.assign(peer.options, { discovery, downGroup: "autoscaling" });
      const fresh = await openCluster({ path: await kubeconfig("fresh", { server }) }, open);
      const { resources, unavailable } = await fresh.resources(open);
      assert.deepEqual(unavailable, ["autoscaling"]);
      assert.ok(resources.some(({ plural }) => plural === "deployments"));
      fresh.close();
    });

  it("reads pages until the limit and asks for no more than it needs", async () => {
    peer.options.pageSize = 4;
    const { items, more } = await reader.list(pods, { limit: 10 }, open);
    assert.equal(items.length, 10);
    assert.equal(more, true);
    assert.deepEqual(
      peer.requests.map(({ query }) => [query.get("limit"), query.get("continue")]),
      [
        ["10", null],
        ["6", "4"],
        ["2", "8"],
      ],
    );
  });

  it("reads logs with the lines, bytes, container and run that are asked for", async () => {
    const pod = podOf("checkout");
    const query = { namespace: "shop", pod, container: "checkout", tailLines: 2, limitBytes: 4096 };
    const log = await reader.logs({ ...query, run: "previous" }, open);
    assert.match(log, /PAYMENTS_API_URL is not set/);
    assert.equal(log.split("\n").length, 3);
    assert.deepEqual(Object.fromEntries(peer.requests[0]?.query ?? []), {
      container: "checkout",
      tailLines: "2",
      limitBytes: "4096",
      previous: "true",
    });
  });

  it("passes on why a container has no log", async () => {
    const { items } = await peer.options.cluster.list(
      pods,
      { namespace: "payments", limit: 10 },
      open,
    );
    const names = items.map(({ metadata }) => metadata.name);
    const pod = names.find((name) => name.startsWith("invoice-worker")) ?? "";
    const query = {
      namespace: "payments",
      pod,
      tailLines: 1,
      limitBytes: 100,
      run: "previous",
    } as const;
    const error = await failure(reader.logs(query, open));
    assert.equal(error.code, "invalid");
    assert.match(error.message, /waiting to start|previous terminated/);
  });

  it("keeps one connection for requests that follow each other", async () => {
    const before = await peer.connections();
    for (let round = 0; round < 5; round += 1) await reader.list(pods, { limit: 1 }, open);
    assert.equal(await peer.connections(), before);
  });

  it("escapes names, so that none reaches another path", async () => {
    const error = await failure(
      reader.get(pods, { namespace: "a/../..", name: "../secrets/b?c" }, open),
    );
    assert.equal(error.code, "not-found");
    assert.deepEqual(
      peer.requests.map(({ path }) => path),
      ["/api/v1/namespaces/a%2F..%2F../pods/..%2Fsecrets%2Fb%3Fc"],
    );
  });

  it("reads the credentials again when the server no longer takes them", async () => {
    peer.options.token = "renewed";
    await kubeconfig("config", { server, token: "renewed" });
    await reader.list(pods, { limit: 1 }, open);
    assert.deepEqual(
      peer.requests.map(({ authorization }) => authorization),
      [`Bearer ${TOKEN}`, "Bearer renewed"],
    );
  });

  it("says that the credentials are not accepted without repeating them", async () => {
    peer.options.token = "another";
    const error = await failure(reader.list(pods, { limit: 1 }, open));
    assert.equal(error.code, "unauthorized");
    assert.ok(!JSON.stringify([error.message, error.cause]).includes(TOKEN), error.message);
  });

  for (const [code, expected] of [
    [403, "forbidden"],
    [404, "not-found"],
    [422, "invalid"],
    [429, "unreachable"],
    [500, "unreachable"],
    [504, "timeout"],
  ] as const)
    it(`takes an answer ${code} for ${expected} and keeps the server's words`, async () => {
      instead((response) => {
        status(response, code, "the server's words, with Bearer abcdefghi");
      });
      const error = await failure(reader.list(pods, { limit: 1 }, open));
      assert.equal(error.code, expected);
      assert.equal(error.message, "the server's words, with Bearer <redacted>");
    });

  it("survives answers that are no Kubernetes API", async () => {
    for (const body of [
      "<html>login</html>",
      "[]",
      '{"items":"none"}',
      '{"items":[{"metadata":{}}]}',
    ]) {
      instead((response) => {
        response.end(body);
      });
      const error = await failure(reader.list(pods, { limit: 1 }, open));
      assert.equal(error.code, "invalid", body);
      assert.ok(!error.message.includes("login"));
    }
    instead((response) => {
      response.end("{}");
    });
    const fresh = await openCluster({ path: await kubeconfig("fresh", { server }) }, open);
    assert.match((await failure(fresh.resources(open))).message, /is it a Kubernetes API server/);
    fresh.close();
  });

  it("says where nobody listens", async () => {
    const closed = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => closed.once("listening", resolve));
    const { port } = closed.address() as { readonly port: number };
    await new Promise((resolve) => closed.close(resolve));
    const path = await kubeconfig("closed", { server: `http://127.0.0.1:${port}` });
    const error = await failure((await openCluster({ path }, open)).identity(open));
    assert.equal(error.code, "unreachable");
    assert.equal(error.message, `no connection to http://127.0.0.1:${port} (ECONNREFUSED)`);
  });

  it("gives up on a server that does not answer", async () => {
    instead(() => undefined);
    const path = await kubeconfig("slow", { server });
    const slow = await openCluster({ path, timeoutMs: 50 }, open);
    const error = await failure(slow.identity(open));
    assert.equal(error.code, "timeout");
    assert.match(error.message, /within 0.05 s/);
    slow.close();
  });

  it("ends the request under way when the caller gives up", async () => {
    const caller = new AbortController();
    const closed = new Promise((resolve) => {
      instead((response) => {
        response.on("close", resolve);
        caller.abort(new Error("gone"));
      });
    });
    await assert.rejects(reader.list(pods, { limit: 1 }, caller.signal), /^Error: gone$/);
    await closed;
  });

  describe("with kubeconfigs", () => {
    async function refused(options: Parameters<typeof openCluster>[0]): Promise<string> {
      const error = await failure(openCluster(options, open));
      assert.equal(error.code, "invalid");
      return error.message;
    }

    it("takes the context that is asked for, else the current one of the first file", async () => {
      const one = await kubeconfig("one", { server, context: "one" });
      const two = await kubeconfig("two", { server, context: "two" });
      const path = [one, two].join(delimiter);
      const identity = await (await openCluster({ path }, open)).identity(open);
      assert.equal(identity.context, "one");
      assert.equal(identity.server, server);
      const other = await openCluster({ path, context: "two" }, open);
      assert.equal(other.name, "two");
      assert.equal((await other.identity(open)).context, "two");
    });

    it("names the contexts there are", async () => {
      const path = await kubeconfig("one", { server, context: "one" });
      assert.equal(
        await refused({ path, context: "three" }),
        "kubeconfig has no context three; it has one",
      );
    });

    it("names a file that is not there", async () => {
      assert.match(
        await refused({ path: join(directory, "none") }),
        /failed to read kubeconfig .*none$/,
      );
    });

    it("quotes nothing of a file that is malformed", async () => {
      const path = join(directory, "broken");
      await writeFile(path, `users:\n- name: a\n  user: {token: ${TOKEN}\n  x: [`);
      const message = await refused({ path });
      assert.equal(message, `kubeconfig ${path} is not valid YAML`);
    });

    it("names the field that is wrong, and not its value", async () => {
      const path = join(directory, "wrong");
      await writeFile(
        path,
        stringify({ clusters: [{ name: "a", cluster: { server: 5, token: TOKEN } }] }),
      );
      const message = await refused({ path });
      assert.match(message, /kubeconfig\.clusters\[0\]\.cluster\.server/);
      assert.ok(!message.includes(TOKEN));
    });

    it("says that a context's cluster is missing, and that there is no context", async () => {
      const path = join(directory, "partial");
      const contexts = [{ name: "a", context: { cluster: "gone", user: "u" } }];
      await writeFile(path, stringify({ "current-context": "a", contexts }));
      assert.match(await refused({ path }), /context a names cluster gone, which is missing/);
      await writeFile(path, stringify({ contexts }));
      assert.match(await refused({ path }), /names no current context/);
    });

    it("shows no password of the server's address", async () => {
      const path = await kubeconfig("user", {
        server: "https://admin:hunter2x@127.0.0.1:1/base?x=hunter2x",
      });
      const error = await failure((await openCluster({ path }, open)).identity(open));
      assert.ok(!error.message.includes("hunter2x"), error.message);
    });

    it("sends no token over plain HTTP unless the kubeconfig waives TLS", async () => {
      const path = await kubeconfig("plain", { server, skipTls: false });
      const error = await failure((await openCluster({ path }, open)).identity(open));
      assert.equal(error.code, "invalid");
      assert.match(error.message, /insecure-skip-tls-verify/);
      assert.deepEqual(peer.requests, []);
    });

    it("says that an exec plug-in failed, and not what it said", async () => {
      const path = join(directory, "exec");
      const command = process.execPath;
      const args = ["-e", `console.error("${TOKEN}"); process.exit(1)`];
      const user = {
        exec: {
          apiVersion: "client.authentication.k8s.io/v1",
          command,
          args,
          interactiveMode: "Never",
        },
      };
      await writeFile(
        path,
        stringify({
          "current-context": "a",
          clusters: [{ name: "a", cluster: { server, "insecure-skip-tls-verify": true } }],
          users: [{ name: "a", user }],
          contexts: [{ name: "a", context: { cluster: "a", user: "a" } }],
        }),
      );
      const error = await failure((await openCluster({ path }, open)).identity(open));
      assert.equal(error.code, "unauthorized");
      assert.ok(!JSON.stringify([error.message, String(error.cause)]).includes(TOKEN));
    });
  });
});
