import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { stringify } from "yaml";
import { podCluster, roleCluster } from "../../../runtime/kube/in-cluster.ts";
import { readKubeconfig } from "../../../runtime/kube/kubeconfig.ts";
import { failureOf } from "./cluster-contract.ts";

describe("credentials of runtime/kube", () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "kube-credentials-"));
  });
  after(() => rm(directory, { recursive: true }));

  const file = async (name: string, text: string) => {
    await writeFile(join(directory, name), text);
    return join(directory, name);
  };
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  async function kubeconfig(cluster: object, user: object): Promise<string> {
    return file(
      "config",
      stringify({
        "current-context": "c",
        clusters: [{ name: "c", cluster: { server: "https://api.example.org", ...cluster } }],
        users: [{ name: "c", user }],
        contexts: [{ name: "c", context: { cluster: "c", user: "c" } }],
      }),
    );
  }
  const credentialsOf = async (path: string) => {
    const source = await (await readKubeconfig({ path })).load();
    return source();
  };

  describe("runtime/kube/kubeconfig", () => {
    it("takes token, authority and client certificate from data", async () => {
      const path = await kubeconfig(
        { "certificate-authority-data": base64("CA"), "tls-server-name": "other" },
        {
          token: "secret",
          "client-certificate-data": base64("CERT"),
          "client-key-data": base64("KEY"),
        },
      );
      assert.deepEqual(await credentialsOf(path), {
        ca: "CA",
        cert: "CERT",
        key: "KEY",
        servername: "other",
        headers: { authorization: "Bearer secret" },
      });
    });

    it("takes them from files beside the kubeconfig, and the token anew for each request", async () => {
      await file("ca.pem", "CA");
      await file("cert.pem", "CERT");
      await file("key.pem", "KEY");
      await file("token", "one\n");
      const path = await kubeconfig(
        { "certificate-authority": "ca.pem" },
        { tokenFile: "token", "client-certificate": "cert.pem", "client-key": "key.pem" },
      );
      const source = await (await readKubeconfig({ path })).load();
      const { headers, ...tls } = await source();
      assert.deepEqual(tls, { ca: "CA", cert: "CERT", key: "KEY" });
      assert.deepEqual(headers, { authorization: "Bearer one" });
      await file("token", "two\n");
      assert.deepEqual((await source()).headers, { authorization: "Bearer two" });
    });

    it("prefers data to files, and a token file to a token", async () => {
      await file("token", "from-file");
      const path = await kubeconfig(
        { "certificate-authority": "none.pem", "certificate-authority-data": base64("CA") },
        { token: "in-clear", tokenFile: "token" },
      );
      const { ca, headers } = await credentialsOf(path);
      assert.equal(ca, "CA");
      assert.deepEqual(headers, { authorization: "Bearer from-file" });
    });

    it("checks certificates unless the kubeconfig waives it", async () => {
      assert.deepEqual(await credentialsOf(await kubeconfig({}, {})), {});
      const waived = await kubeconfig({ "insecure-skip-tls-verify": true }, {});
      assert.deepEqual(await credentialsOf(waived), { rejectUnauthorized: false });
    });

    it("names a file that is missing", async () => {
      const path = await kubeconfig({ "certificate-authority": "gone.pem" }, {});
      const error = await failureOf(credentialsOf(path));
      assert.equal(error.code, "invalid");
      assert.match(error.message, /failed to read .*gone\.pem, which the kubeconfig names/);
    });

    it("leaves commands, passwords and proxies to the client library", async function () {
      this.timeout(30_000); // it loads for seconds on a busy machine
      const args = [
        "-e",
        `console.log(${JSON.stringify(JSON.stringify(execAnswer("from-command")))})`,
      ];
      const exec = {
        apiVersion: "client.authentication.k8s.io/v1",
        command: process.execPath,
        args,
        interactiveMode: "Never",
      };
      const { headers } = await credentialsOf(await kubeconfig({}, { exec }));
      assert.deepEqual(headers, { Authorization: "Bearer from-command" });
      const basic = await credentialsOf(await kubeconfig({}, { username: "u", password: "p" }));
      assert.equal(basic.auth, "u:p");
      const proxied = await kubeconfig(
        { "proxy-url": "http://proxy.example.org:3128" },
        { token: "t" },
      );
      assert.ok((await credentialsOf(proxied)).agent !== undefined);
    });
  });

  describe("runtime/kube/in-cluster", () => {
    const environment = { KUBERNETES_SERVICE_HOST: "10.0.0.1", KUBERNETES_SERVICE_PORT: "6443" };

    it("reads the ServiceAccount for each request, because the kubelet rotates it", async () => {
      await file("ca.crt", "CA");
      await file("token", "one\n");
      const cluster = podCluster(environment, directory);
      assert.equal(cluster?.server, "https://10.0.0.1:6443");
      const source = await cluster.load();
      assert.deepEqual(await source(), { ca: "CA", headers: { authorization: "Bearer one" } });
      await file("token", "two");
      await file("ca.crt", "CA2");
      assert.deepEqual(await source(), { ca: "CA2", headers: { authorization: "Bearer two" } });
    });

    it("writes an IPv6 address as URLs have it", () => {
      const cluster = podCluster({ KUBERNETES_SERVICE_HOST: "fd00::1" });
      assert.equal(cluster?.server, "https://[fd00::1]:443");
    });

    it("says what is missing when the token is not mounted", async () => {
      const source = await podCluster(environment, join(directory, "none"))?.load();
      assert.ok(source);
      assert.match(
        (await failureOf(source())).message,
        /does the pod mount its ServiceAccount token/,
      );
    });

    it("prefers a kubeconfig, takes the pod's cluster, or says what to do", async () => {
      const path = await kubeconfig({}, {});
      assert.equal((await roleCluster(environment, { path })).context, "c");
      assert.equal((await roleCluster(environment, undefined)).context, "in-cluster");
      const error = await failureOf(roleCluster({}, undefined));
      assert.match(error.message, /set KUBECONFIG, or run in a pod/);
    });
  });
});

function execAnswer(token: string) {
  return {
    apiVersion: "client.authentication.k8s.io/v1",
    kind: "ExecCredential",
    status: { token },
  };
}
