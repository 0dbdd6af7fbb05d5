import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import { RESOURCES } from "../../../../runtime/api/cluster.ts";
import type { HttpApiDeps } from "../../../../runtime/controller/http/http-api-deps.ts";
import { callsTo, DEFAULT_MODEL, writtenAgent, writtenServer } from "../kagent-objects.ts";
import { TestApi } from "./api-fixture.ts";

type Json = Record<string, unknown>;

describe("runtime/controller/http: objects", () => {
  let api: TestApi;
  beforeEach(async () => {
    api = await TestApi.open();
  });
  afterEach(() => api.close());
  const reopen = async (over: (api: TestApi) => Partial<HttpApiDeps>) => {
    await api.close();
    api = await TestApi.open(over);
  };

  describe("agents", () => {
    it("creates, shows, replaces and deletes one, as clients send it: kind and version left out", async () => {
      await api.put(DEFAULT_MODEL);
      const { metadata, spec } = writtenAgent("new") as { metadata: Json; spec: Json };
      const created = await api.call("POST", "/api/agents", {
        metadata: { ...metadata, uid: "forged", resourceVersion: "7" },
        spec,
        status: { observedGeneration: 99 },
      });
      assert.equal(created.status, 201, created.error);
      const stored = await api.get(RESOURCES.Agent, "new");
      assert.notEqual(stored?.metadata.uid, "forged");
      assert.equal(stored?.["status"], undefined);
      const shown = await api.call<Json>("GET", "/api/agents/kagent/new");
      assert.equal(shown.data["accepted"], true);
      assert.equal(shown.data["deploymentReady"], false);
      const changed = { metadata, spec: { ...spec, description: "Other." } };
      assert.equal((await api.call("PUT", "/api/agents", changed)).status, 200);
      const after = await api.get(RESOURCES.Agent, "new");
      assert.equal((after?.["spec"] as Json)["description"], "Other.");
      assert.equal((await api.call("DELETE", "/api/agents/kagent/new")).status, 200);
      assert.equal((await api.call("DELETE", "/api/agents/kagent/new")).status, 404);
    });

    it("puts one that names no namespace into the platform's", async () => {
      const { spec } = writtenAgent("x") as { spec: Json };
      await api.call("POST", "/api/agents", { metadata: { name: "here" }, spec });
      assert.ok(await api.get(RESOURCES.Agent, "here"));
    });

    it("drops fields that a replacement leaves out", async () => {
      const { metadata, spec } = writtenAgent("one", { stream: true }) as {
        metadata: Json;
        spec: Json;
      };
      await api.put(DEFAULT_MODEL, writtenAgent("one", { stream: true }));
      const { stream: _, ...declarative } = spec["declarative"] as Json;
      await api.call("PUT", "/api/agents", { metadata, spec: { ...spec, declarative } });
      const after = await api.get(RESOURCES.Agent, "one");
      assert.equal(((after?.["spec"] as Json)["declarative"] as Json)["stream"], undefined);
    });

    const refused: readonly (readonly [string, unknown, number, RegExp])[] = [
      ["a broken schema", writtenAgent("a", { stream: "yes" }), 400, /spec\.declarative\.stream/],
      ["an unknown field", writtenAgent("a", { strem: true }), 400, /spec\.declarative\.strem/],
      ["a circle", writtenAgent("a", callsTo("a")), 400, /spec\.declarative\.tools/],
      ["another kind", { ...DEFAULT_MODEL, kind: "ModelConfig" }, 400, /kind/],
      ["no metadata", { spec: {} }, 400, /metadata/],
      ["a name that is none", { metadata: { name: "A B" }, spec: {} }, 400, /metadata\.name/],
      ["something else", [1], 400, /./],
    ];
    for (const [what, body, status, says] of refused)
      it(`refuses ${what} with every path`, async () => {
        const answer = await api.call("POST", "/api/agents", body);
        assert.equal(answer.status, status);
        assert.match(answer.error ?? "", says);
        assert.equal(await api.get(RESOURCES.Agent, "a"), undefined);
      });

    it("refuses a name that is taken, and to change what is not there", async () => {
      await api.put(writtenAgent("one"));
      assert.equal((await api.call("POST", "/api/agents", writtenAgent("one"))).status, 409);
      assert.equal((await api.call("PUT", "/api/agents", writtenAgent("two"))).status, 404);
    });

    it("refuses a namespace that this platform does not look after", async () => {
      await reopen(({ cluster }) => ({
        access: {
          cluster,
          namespace: "kagent",
          watched: ["kagent", "team"],
          writers: { users: [], groups: [] },
          models: { list: () => Promise.resolve([]) },
        },
      }));
      const elsewhere = { ...writtenAgent("a"), metadata: { name: "a", namespace: "other" } };
      const { status, error } = await api.call("POST", "/api/agents", elsewhere);
      assert.equal(status, 400);
      assert.match(error ?? "", /metadata\.namespace.*other.*kagent, team/);
    });

    it("lets only those write whom the platform names", async () => {
      await reopen(({ cluster }) => ({
        access: {
          cluster,
          namespace: "kagent",
          watched: "all",
          writers: { users: [], groups: ["admins"] },
          models: { list: () => Promise.resolve([]) },
        },
      }));
      assert.equal((await api.call("POST", "/api/agents", writtenAgent("a"))).status, 403);
      const admin = { "x-user-groups": "admins" };
      assert.equal((await api.call("POST", "/api/agents", writtenAgent("a"), admin)).status, 201);
    });

    it("hides an agent from those who may not call it, and keeps it from their hands", async () => {
      const guarded = writtenAgent("guarded") as { metadata: Json };
      const annotations = { "kagent.dev/allowed-users": "ben" };
      const agent = { ...guarded, metadata: { ...guarded.metadata, annotations } };
      await api.put(DEFAULT_MODEL, agent);
      assert.deepEqual((await api.call("GET", "/api/agents")).data, []);
      assert.equal((await api.call("GET", "/api/agents/kagent/guarded")).status, 404);
      assert.equal((await api.call("PUT", "/api/agents", writtenAgent("guarded"))).status, 403);
      assert.equal((await api.call("DELETE", "/api/agents/kagent/guarded")).status, 403);
      const ben = { "x-user-id": "ben" };
      assert.equal((await api.call<Json[]>("GET", "/api/agents", undefined, ben)).data.length, 1);
      assert.equal(
        (await api.call("DELETE", "/api/agents/kagent/guarded", undefined, ben)).status,
        200,
      );
    });
  });

  describe("models", () => {
    const openAi = { provider: "OpenAI", model: "gpt" };

    it("keeps an API key in a Secret that goes with the model, and tells it to nobody", async () => {
      const body = { ref: "kagent/m", apiKey: "sk-secret", spec: openAi };
      const created = await api.call("POST", "/api/modelconfigs", body);
      assert.equal(created.status, 201, created.error);
      const secret = await api.get(RESOURCES.Secret, "m");
      const data = secret?.["data"] as Record<string, string>;
      assert.equal(Buffer.from(data["OPENAI_API_KEY"] ?? "", "base64").toString(), "sk-secret");
      const owner = await api.get(RESOURCES.ModelConfig, "m");
      assert.equal(secret?.metadata.ownerReferences?.[0]?.uid, owner?.metadata.uid);
      const spec = owner?.["spec"] as Json;
      assert.equal(spec["apiKeySecret"], "m");
      assert.equal(spec["apiKeySecretKey"], "OPENAI_API_KEY");
      const shown = await api.call("GET", "/api/modelconfigs/kagent/m");
      assert.ok(!JSON.stringify([created, shown]).includes("sk-secret"));
      await api.call("DELETE", "/api/modelconfigs/kagent/m");
      assert.equal(await api.get(RESOURCES.Secret, "m"), undefined);
    });

    it("shows the names of headers, and keeps values that come back hidden", async () => {
      const defaultHeaders = { "x-key": "value-of-key", "x-old": "value-of-old" };
      const spec = { ...openAi, defaultHeaders };
      const created = await api.call("POST", "/api/modelconfigs", { ref: "kagent/m", spec });
      const shown = await api.call("GET", "/api/modelconfigs/kagent/m");
      assert.ok(!JSON.stringify([created, shown]).includes("value-of-"));
      const sent = { ...openAi, defaultHeaders: { "x-key": "***", "x-new": "***" } };
      const changed = await api.call("PUT", "/api/modelconfigs/kagent/m", { spec: sent });
      assert.equal(changed.status, 200, changed.error);
      const kept = (await api.get(RESOURCES.ModelConfig, "m"))?.["spec"] as Json;
      assert.deepEqual(kept["defaultHeaders"], { "x-key": "value-of-key", "x-new": "***" });
    });

    it("renews a key, keeps it when none is sent, and takes further secrets", async () => {
      await api.call("POST", "/api/modelconfigs", { ref: "m", apiKey: "one", spec: openAi });
      const spec = {
        ...openAi,
        model: "gpt-2",
        apiKeySecret: "m",
        apiKeySecretKey: "OPENAI_API_KEY",
      };
      assert.equal((await api.call("PUT", "/api/modelconfigs/kagent/m", { spec })).status, 200);
      const valueOf = async (name: string, key: string) => {
        const data = (await api.get(RESOURCES.Secret, name))?.["data"] as Record<string, string>;
        return Buffer.from(data[key] ?? "", "base64").toString();
      };
      assert.equal(await valueOf("m", "OPENAI_API_KEY"), "one");
      const secrets = [{ name: "extra", key: "ca.crt", value: "pem" }];
      await api.call("PUT", "/api/modelconfigs/kagent/m", { spec, apiKey: "two", secrets });
      assert.equal(await valueOf("m", "OPENAI_API_KEY"), "two");
      assert.equal(await valueOf("extra", "ca.crt"), "pem");
    });

    it("overwrites no Secret that is somebody else's", async () => {
      const metadata = { name: "database", namespace: "kagent" };
      await api.put({ apiVersion: "v1", kind: "Secret", metadata, data: { password: "cHc=" } });
      const secrets = [{ name: "database", key: "password", value: "mine" }];
      const answer = await api.call("POST", "/api/modelconfigs", {
        ref: "m",
        secrets,
        spec: openAi,
      });
      assert.equal(answer.status, 409);
      assert.match(answer.error ?? "", /Secret kagent\/database is not this model's/);
      const kept = await api.get(RESOURCES.Secret, "database");
      assert.deepEqual(kept?.["data"], { password: "cHc=" });
    });

    it("hides a token that stands in the spec, and keeps it when the spec comes back without", async () => {
      const azureOpenAI = { azureEndpoint: "https://a", apiVersion: "1", azureAdToken: "aad" };
      const spec = { provider: "AzureOpenAI", model: "m", azureOpenAI };
      await api.call("POST", "/api/modelconfigs", { ref: "m", spec });
      const shown = await api.call<{ spec: Json }>("GET", "/api/modelconfigs/kagent/m");
      assert.ok(!JSON.stringify(shown).includes("aad"));
      await api.call("PUT", "/api/modelconfigs/kagent/m", { spec: shown.data.spec });
      const kept = await api.get(RESOURCES.ModelConfig, "m");
      assert.match(JSON.stringify(kept), /"azureAdToken":"aad"/);
    });

    it("refuses what breaks the rules", async () => {
      const spec = { ...openAi, apiKeySecretKey: "k" };
      const answer = await api.call("POST", "/api/modelconfigs", { ref: "m", spec });
      assert.equal(answer.status, 400);
      assert.match(answer.error ?? "", /apiKeySecretKey needs apiKeySecret/);
      assert.equal(
        (await api.call("POST", "/api/modelconfigs", { ref: "a/b/c", spec })).status,
        400,
      );
      assert.equal((await api.call("GET", "/api/modelconfigs/kagent/none")).status, 404);
    });

    it("tells providers, those that are configured, and their models, asked again on demand", async () => {
      const metadata = { name: "local", namespace: "kagent" };
      const spec = { type: "Ollama", endpoint: "http://o" };
      const status = { discoveredModels: ["m-1"] };
      const provider = { apiVersion: "kagent.dev/v1alpha2", kind: "ModelProviderConfig" };
      await api.put({ ...provider, metadata, spec }, DEFAULT_MODEL);
      await api.cluster.patchStatus(
        RESOURCES.ModelProviderConfig,
        metadata,
        status,
        new AbortController().signal,
      );
      const supported = await api.call<Json[]>("GET", "/api/modelproviderconfigs/models");
      const azure = supported.data.find(({ name }) => name === "AzureOpenAI");
      assert.deepEqual(azure?.["requiredParams"], ["azureEndpoint", "apiVersion"]);
      const configured = await api.call("GET", "/api/modelproviderconfigs/configured");
      assert.deepEqual(configured.data, [{ name: "local", type: "Ollama", endpoint: "http://o" }]);
      const at = "/api/modelproviderconfigs/configured/local/models";
      assert.deepEqual((await api.call("GET", at)).data, { provider: "local", models: ["m-1"] });
      const asked = await api.call("GET", `${at}?refresh=true`);
      assert.deepEqual(asked.data, { provider: "local", models: ["m-2", "m-3"] });
      assert.equal((await api.call("GET", at.replace("local", "none"))).status, 404);
      const models = await api.call<Json>("GET", "/api/models");
      assert.deepEqual(models.data["Ollama"], [
        { name: "m-1", function_calling: true },
        { name: "qwen2.5:14b", function_calling: true },
      ]);
    });
  });

  describe("tool servers", () => {
    it("creates and deletes one", async () => {
      const remoteMCPServer = writtenServer("k8s");
      const body = { type: "RemoteMCPServer", remoteMCPServer };
      assert.equal((await api.call("POST", "/api/toolservers", body)).status, 201);
      assert.ok(await api.get(RESOURCES.RemoteMCPServer, "k8s"));
      assert.deepEqual((await api.call("GET", "/api/toolservertypes")).data, ["RemoteMCPServer"]);
      assert.equal((await api.call("DELETE", "/api/toolservers/kagent/k8s")).status, 200);
    });

    it("refuses another type, and one that breaks the rules", async () => {
      const other = await api.call("POST", "/api/toolservers", { type: "MCPServer" });
      assert.match(other.error ?? "", /must be RemoteMCPServer/);
      const remoteMCPServer = writtenServer("k8s", { url: "" });
      const body = { type: "RemoteMCPServer", remoteMCPServer };
      assert.match((await api.call("POST", "/api/toolservers", body)).error ?? "", /spec\.url/);
    });

    it("lets pages call tools that only read, and no others", async () => {
      const called: unknown[] = [];
      const hints = {
        readOnlyHint: true,
        destructiveHint: false,
        idempotentHint: true,
        openWorldHint: false,
      };
      const schema = { inputSchema: { type: "object" }, description: "" };
      await reopen(() => ({
        tools: {
          list: ({ name }) =>
            Promise.resolve(
              name === "k8s"
                ? [
                    { name: "read", ...schema, hints },
                    { name: "delete", ...schema, hints: { ...hints, readOnlyHint: false } },
                    { name: "unknown", ...schema },
                  ]
                : undefined,
            ),
          call: (_, tool, args) => {
            called.push([tool, args]);
            return Promise.resolve({ text: "ok", parts: [{ text: "ok" }], structured: { n: 1 } });
          },
        },
      }));
      const at = "/api/mcp-apps/kagent/k8s/tools";
      assert.equal((await api.call<Json[]>("GET", at)).data.length, 3);
      const answer = await api.call("POST", `${at}/read/call`, { arguments: { a: 1 } });
      const content = [{ type: "text", text: "ok" }];
      assert.deepEqual(answer.data, { content, structuredContent: { n: 1 }, isError: false });
      for (const tool of ["delete", "unknown"])
        assert.equal((await api.call("POST", `${at}/${tool}/call`, {})).status, 403);
      assert.equal((await api.call("POST", `${at}/none/call`, {})).status, 404);
      assert.equal((await api.call("GET", at.replace("k8s", "none"))).status, 404);
      assert.deepEqual(called, [["read", { a: 1 }]]);
    });
  });

  describe("prompt libraries", () => {
    const at = "/api/prompttemplates";

    it("keeps them in labelled ConfigMaps", async () => {
      const data = { intro: "Hello.", rules: "Be kind." };
      assert.equal((await api.call("POST", at, { name: "team", data })).status, 201);
      const expected = { namespace: "kagent", name: "team" };
      assert.deepEqual((await api.call("GET", at)).data, [
        { ...expected, keyCount: 2, keys: ["intro", "rules"] },
      ]);
      assert.deepEqual((await api.call("GET", `${at}/kagent/team`)).data, { ...expected, data });
      const changed = await api.call("PUT", `${at}/kagent/team`, { data: { intro: "Hi." } });
      assert.deepEqual(changed.data, { ...expected, data: { intro: "Hi." } });
      const stored = await api.get(RESOURCES.ConfigMap, "team");
      assert.deepEqual(stored?.metadata.labels, { "kagent.dev/prompt-library": "true" });
      assert.equal((await api.call("DELETE", `${at}/kagent/team`)).status, 200);
      assert.deepEqual((await api.call("GET", at)).data, []);
    });

    it("touches no other ConfigMap", async () => {
      const metadata = { name: "kube-root-ca", namespace: "kagent" };
      await api.put({ apiVersion: "v1", kind: "ConfigMap", metadata, data: { a: "b" } });
      for (const [method, body] of [
        ["GET", undefined],
        ["PUT", { data: {} }],
        ["DELETE", undefined],
      ] as const)
        assert.equal((await api.call(method, `${at}/kagent/kube-root-ca`, body)).status, 404);
      assert.ok(await api.get(RESOURCES.ConfigMap, "kube-root-ca"));
    });
  });

  describe("on a laptop", () => {
    it("says how to change what it reads from files", async () => {
      await reopen(() => ({ access: undefined as never }));
      for (const [method, path, body] of [
        ["POST", "/api/agents", writtenAgent("a")],
        ["DELETE", "/api/agents/kagent/a", undefined],
        ["POST", "/api/modelconfigs", {}],
        ["POST", "/api/toolservers", {}],
        ["GET", "/api/prompttemplates", undefined],
      ] as const) {
        const { status, error } = await api.call(method, path, body);
        assert.equal(status, 501, path);
        assert.match(error ?? "", /stacks\/agents/);
      }
    });
  });

  it("refuses a body that is no JSON, or too large, before it looks at anything", async () => {
    assert.equal((await api.call("POST", "/api/agents")).status, 400);
    const large = { metadata: { name: "x".repeat(2_200_000) } };
    assert.equal((await api.call("POST", "/api/agents", large)).status, 413);
  });
});
