import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "mocha";
import { ModelListError } from "../../../../runtime/controller/model-lister.ts";
import { writtenServer } from "../kagent-objects.ts";
import { ControllerFixture } from "./controller-fixture.ts";

type Fields = Readonly<Record<string, unknown>>;

const base64 = (text: string) => Buffer.from(text).toString("base64");
const secret = (data: Readonly<Record<string, string>>): Fields => ({
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, base64(value)])),
});
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

async function started(): Promise<ControllerFixture> {
  const all = new ControllerFixture();
  await all.start();
  return all;
}

async function status(
  all: ControllerFixture,
  ...[kind, name]: Parameters<ControllerFixture["get"]>
) {
  return ((await all.get(kind, name))?.["status"] ?? {}) as Fields;
}

const headersFrom = [{ name: "X", valueFrom: { type: "Secret", name: "h", key: "k" } }];

describe("runtime/controller/reconcile/reconcileModelConfig", () => {
  const spec = { provider: "OpenAI", model: "m", apiKeySecret: "keys", apiKeySecretKey: "k" };

  it("waits for its Secret, and hashes it as kagent does", async () => {
    const all = await started();
    await all.put("ModelConfig", "m", { spec });
    await all.settle();
    assert.match(
      await all.condition("ModelConfig", "m", "Accepted"),
      /^False ModelConfigReconcileFailed: .*Secret kagent\/keys/,
    );
    await all.put("Secret", "keys", secret({ other: "1", k: "2" }));
    await all.settle();
    assert.equal(
      await all.condition("ModelConfig", "m", "Accepted"),
      "True ModelConfigReconciled: Model configuration accepted",
    );
    const { secretHash } = await status(all, "ModelConfig", "m");
    assert.equal(secretHash, sha256("kagent/keysk2other1"));
    await all.put("Secret", "keys", secret({ k: "3" }));
    await all.settle();
    assert.equal((await status(all, "ModelConfig", "m"))["secretHash"], sha256("kagent/keysk3"));
    await all.delete("Secret", "keys");
    assert.match(await all.condition("ModelConfig", "m", "Accepted"), /^False/);
    await all.end();
  });

  it("writes nothing in a second pass, and forgets what is deleted", async () => {
    const all = await started();
    await all.put("ModelConfig", "m", { spec });
    await all.settle();
    all.recording.taken();
    await all.pass(600_000);
    await all.delete("ModelConfig", "m");
    await all.put("Secret", "keys", secret({ k: "2" }));
    await all.settle();
    assert.deepEqual(all.recording.taken(), []);
    await all.end();
  });
});

describe("runtime/controller/reconcile/reconcileToolServer", () => {
  const ACCEPTED = "True Reconciled: Remote MCP server configuration accepted";

  it("writes down every tool, and asks again after the interval", async () => {
    const all = await started();
    all.tools.set("s", ["b", "a"]);
    await all.put("RemoteMCPServer", "s", writtenServer("s"));
    await all.settle();
    assert.equal(await all.condition("RemoteMCPServer", "s", "Accepted"), ACCEPTED);
    assert.deepEqual((await status(all, "RemoteMCPServer", "s"))["discoveredTools"], [
      { name: "b", description: "Does b." },
      { name: "a", description: "Does a." },
    ]);
    all.recording.taken();
    await all.pass(66_000);
    assert.deepEqual([all.askedServers.length, all.recording.taken()], [2, []]);
    await all.end();
  });

  it("keeps the old list while a server does not answer", async () => {
    const all = await started();
    all.tools.set("s", ["a"]);
    await all.put("RemoteMCPServer", "s", writtenServer("s"));
    await all.settle();
    all.tools.set("s", new Error("tool server kagent/s: connection refused"));
    await all.pass(66_000);
    assert.equal(
      await all.condition("RemoteMCPServer", "s", "Accepted"),
      "False ReconcileFailed: tool server kagent/s: connection refused",
    );
    const { discoveredTools } = await status(all, "RemoteMCPServer", "s");
    assert.deepEqual(discoveredTools, [{ name: "a", description: "Does a." }]);
    all.tools.set("s", ["a"]);
    await all.pass(10_000);
    assert.equal(await all.condition("RemoteMCPServer", "s", "Accepted"), ACCEPTED);
    await all.end();
  });

  it("finds the tools of a good server beside ten that hang", async () => {
    const all = await started();
    for (let at = 0; at < 10; at++)
      await all.put("RemoteMCPServer", `hung${at}`, writtenServer(`hung${at}`));
    await all.settle();
    all.tools.set("good", ["a"]);
    await all.put("RemoteMCPServer", "good", writtenServer("good"));
    await all.settle();
    assert.equal(await all.condition("RemoteMCPServer", "good", "Accepted"), ACCEPTED);
    assert.equal(await all.condition("RemoteMCPServer", "hung0", "Accepted"), "-");
    await all.end();
  });

  it("asks with the headers of its Secret, at once when they change", async () => {
    const all = await started();
    all.tools.set("s", ["a"]);
    await all.put("RemoteMCPServer", "s", writtenServer("s", { headersFrom }));
    await all.settle();
    assert.match(await all.condition("RemoteMCPServer", "s", "Accepted"), /^False .*kagent\/h/);
    assert.equal(all.askedServers.length, 0);
    for (const value of ["one", "two"]) {
      await all.put("Secret", "h", secret({ k: value }));
      await all.settle();
      assert.deepEqual(all.askedServers.at(-1)?.headers, { x: value });
      const { secretHash } = await status(all, "RemoteMCPServer", "s");
      assert.equal(secretHash, sha256(`kagent/hk${value}`));
    }
    await all.end();
  });

  it("fits the tools of the largest servers into a status", async () => {
    const all = await started();
    all.tools.set(
      "s",
      Array.from({ length: 2_000 }, (_, at) => `tool-${at}-${"x".repeat(100)}`),
    );
    await all.put("RemoteMCPServer", "s", writtenServer("s"));
    await all.settle();
    const { discoveredTools } = await status(all, "RemoteMCPServer", "s");
    assert.equal((discoveredTools as readonly unknown[]).length, 2_000);
    assert.ok(JSON.stringify(discoveredTools).length < 1_000_000);
    await all.end();
  });

  it("asks a deleted server no more", async () => {
    const all = await started();
    await all.put("RemoteMCPServer", "s", writtenServer("s"));
    await all.settle();
    await all.delete("RemoteMCPServer", "s");
    all.tools.set("s", ["a"]);
    all.recording.taken();
    await all.pass(700_000);
    assert.deepEqual([all.askedServers.length, all.recording.taken()], [1, []]);
    await all.end();
  });
});

describe("runtime/controller/reconcile/reconcileProviderConfig", () => {
  it("asks once per generation, and again on demand", async () => {
    const all = await started();
    all.models = ["a", "b"];
    await all.put("ModelProviderConfig", "p", { spec: { type: "Ollama", endpoint: "http://o" } });
    await all.settle();
    const said = async (type: string) => await all.condition("ModelProviderConfig", "p", type);
    assert.equal(await said("SecretResolved"), "True SecretNotRequired: No Secret is needed");
    assert.equal(await said("ModelsDiscovered"), "True ModelsDiscovered: Discovered 2 models");
    assert.equal(await said("Ready"), "True Ready: Model provider config is ready");
    const first = await status(all, "ModelProviderConfig", "p");
    assert.deepEqual([first["discoveredModels"], first["modelCount"]], [["a", "b"], 2]);
    assert.deepEqual(all.askedProviders, [{ type: "Ollama", endpoint: "http://o" }]);
    await all.pass(3_600_000);
    assert.equal(all.askedProviders.length, 1);
    all.models = ["c"];
    const ref = { namespace: "kagent", name: "p" };
    const signal = new AbortController().signal;
    assert.deepEqual(await all.controllers[0]?.refreshModels(ref, signal), ["c"]);
    await all.settle();
    const second = await status(all, "ModelProviderConfig", "p");
    assert.deepEqual(second["discoveredModels"], ["c"]);
    assert.notEqual(second["lastDiscoveryTime"], first["lastDiscoveryTime"]);
    await all.put("ModelProviderConfig", "p", { spec: { type: "Ollama", endpoint: "http://n" } });
    await all.settle();
    assert.equal(all.askedProviders.length, 3);
    await all.end();
  });

  it("waits for a Secret with exactly one key", async () => {
    const all = await started();
    all.models = ["a"];
    const spec = { type: "OpenAI", secretRef: { name: "keys" } };
    await all.put("ModelProviderConfig", "p", { spec });
    await all.settle();
    const said = async (type: string) => await all.condition("ModelProviderConfig", "p", type);
    assert.equal(
      await said("SecretResolved"),
      "False SecretNotFound: Secret kagent/keys does not exist",
    );
    assert.equal(await said("Ready"), "False NotReady: Secret kagent/keys does not exist");
    assert.equal(await said("ModelsDiscovered"), "-");
    await all.put("Secret", "keys", secret({ a: "1", b: "2" }));
    await all.settle();
    assert.match(await said("SecretResolved"), /has 2 keys, must have one/);
    await all.delete("Secret", "keys");
    await all.put("Secret", "keys", secret({ a: "key-1\n" }));
    await all.settle();
    assert.match(await said("SecretResolved"), /^True SecretResolved/);
    assert.deepEqual(all.askedProviders, [{ type: "OpenAI", apiKey: "key-1" }]);
    const { secretHash } = await status(all, "ModelProviderConfig", "p");
    assert.equal(secretHash, sha256("kagent/keysakey-1\n"));
    await all.end();
  });

  it("tries again where that may help, and nowhere else", async () => {
    const all = await started();
    all.models = new ModelListError("the provider is down", true);
    await all.put("ModelProviderConfig", "p", { spec: { type: "Ollama" } });
    await all.settle();
    const said = async () => await all.condition("ModelProviderConfig", "p", "ModelsDiscovered");
    assert.equal(await said(), "False DiscoveryFailed: the provider is down");
    await all.pass(10_000);
    assert.ok(all.askedProviders.length >= 3);
    all.models = new ModelListError("the key was refused", false);
    await all.pass(60_000);
    assert.equal(await said(), "False DiscoveryFailed: the key was refused");
    const asked = all.askedProviders.length;
    await all.pass(300_000);
    assert.equal(all.askedProviders.length, asked);
    await all.end();
  });
});
