import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { cardJson } from "../../../runtime/a2a/card.ts";
import type { AgentConfig } from "../../../runtime/api/agent-config.ts";
import { readAgentFiles, writeAgentFiles } from "../../../runtime/api/agent-files.ts";
import { hashed } from "../../../runtime/api/config-hash.ts";
import type { ObjectRef } from "../../../runtime/api/names.ts";
import { agentConfig, agentUse, serverUse } from "../../support/agent-config.ts";
import { arbitraryAgentConfig, SECRET_MARK } from "../../support/arbitrary-agent-config.ts";

const REF = { namespace: "kagent", name: "tester" };

function config(over: Partial<AgentConfig> = {}): AgentConfig {
  const { hash: _, ...rest } = agentConfig(over);
  return hashed(rest);
}

function problems(
  files: Readonly<Record<string, string>>,
  ref: ObjectRef = REF,
): readonly string[] {
  const read = readAgentFiles(files, ref);
  return read.ok ? [] : read.violations.map(({ path, message }) => `${path}: ${message}`);
}

/** The least that kagent writes. */
const KAGENT_MODEL = { type: "openai", model: "gpt-4o", base_url: "" };
const kagentFiles = (over: object = {}) => ({
  "config.json": JSON.stringify({
    model: KAGENT_MODEL,
    description: "",
    instruction: "You test.",
    ...over,
  }),
});

describe("runtime/api/agent-files", () => {
  it("reads what it wrote as the same, with and without the agent's card", () => {
    fc.assert(
      fc.property(arbitraryAgentConfig, fc.boolean(), (written, hasCard) => {
        const card = hasCard ? cardJson(written, "http://a.b:8080/", "0.3") : undefined;
        const read = readAgentFiles(writeAgentFiles(written, card), written.ref);
        assert.deepEqual(read, { ok: true, value: written });
      }),
      { numRuns: 300 },
    );
  });

  it("writes no secret into config.json and runtime.json, and every one into credentials.json", () => {
    fc.assert(
      fc.property(arbitraryAgentConfig, (written) => {
        const { "credentials.json": credentials, ...open } = writeAgentFiles(written);
        for (const [file, text] of Object.entries(open))
          assert.ok(!text.includes(SECRET_MARK), `${file}: ${text}`);
        const secrets = JSON.stringify(written).split(SECRET_MARK).length - 1;
        assert.equal((credentials ?? "").split(SECRET_MARK).length - 1, secrets);
      }),
    );
  });

  it("changes nothing but credentials.json when secrets are rotated", () => {
    fc.assert(
      fc.property(arbitraryAgentConfig, (before) => {
        const { hash: _, ...after } = JSON.parse(
          JSON.stringify(before).replaceAll(SECRET_MARK, "rotated~"),
        ) as AgentConfig;
        const { "credentials.json": _old, ...open } = writeAgentFiles(before);
        const { "credentials.json": _new, ...rotated } = writeAgentFiles(hashed(after));
        assert.deepEqual(rotated, open);
      }),
    );
  });

  it("writes kagent's keys in kagent's order", () => {
    const files = writeAgentFiles(
      config({
        model: {
          ref: { namespace: "kagent", name: "default-model-config" },
          provider: "OpenAI",
          model: "gpt-4o",
          headers: { "user-agent": "kagent/1.0" },
          tls: { verify: true, caPem: "PEM", systemCas: false },
          openAI: {
            apiFormat: "chatCompletions",
            temperature: 0.7,
            maxTokens: 1024,
            timeoutMs: 60_000,
          },
        },
        toolServers: [
          serverUse({
            server: {
              ...serverUse().server,
              timeoutMs: 30_500,
              sseReadTimeoutMs: 300_000,
              headers: { math: "key" },
            },
            toolNames: ["k8s_get", "k8s_delete"],
            requireApproval: ["k8s_delete"],
            allowedHeaders: ["x-team"],
          }),
          serverUse({ server: { ...serverUse().server, protocol: "SSE", url: "http://sse/" } }),
        ],
        agents: [agentUse("my-helper", { isolateSessions: true, headers: { a: "b" } })],
        memory: {
          ttlDays: 15,
          embedding: {
            ref: { namespace: "kagent", name: "e" },
            provider: "OpenAI",
            model: "text-embedding-3-small",
          },
        },
        compaction: {
          interval: 5,
          overlap: 2,
          tokenThreshold: 50_000,
          eventRetention: 10,
          summarizer: {
            model: { ref: { namespace: "kagent", name: "s" }, provider: "Ollama", model: "tiny" },
            prompt: "Summarise.",
          },
        },
        allowedDomains: ["*.example.com"],
      }),
    );
    assert.equal(
      files["config.json"],
      JSON.stringify({
        model: {
          type: "openai",
          model: "gpt-4o",
          headers: { "user-agent": "credential:model.headers.user-agent" },
          tls_insecure_skip_verify: false,
          tls_ca_cert_path: "credential:model.caPem",
          tls_disable_system_cas: true,
          base_url: "",
          max_tokens: 1024,
          temperature: 0.7,
          timeout: 60,
        },
        description: "Tests.",
        instruction: "You test.",
        http_tools: [
          {
            params: {
              url: "http://127.0.0.1:1/mcp",
              headers: { math: "credential:toolServers[0].headers.math" },
              timeout: 30.5,
              sse_read_timeout: 300,
              terminate_on_close: true,
            },
            tools: ["k8s_get", "k8s_delete"],
            allowed_headers: ["x-team"],
            require_approval: ["k8s_delete"],
          },
        ],
        sse_tools: [
          { params: { url: "http://sse/", headers: {}, timeout: 1, sse_read_timeout: 1 } },
        ],
        remote_agents: [
          {
            name: "kagent__NS__my_helper",
            url: "http://127.0.0.1:1/agents/kagent/my-helper/",
            headers: { a: "credential:agents[0].headers.a" },
            description: "Is my-helper.",
            isolate_sessions: true,
          },
        ],
        stream: true,
        memory: {
          ttl_days: 15,
          embedding: { provider: "openai", model: "text-embedding-3-small" },
        },
        network: { allowed_domains: ["*.example.com"] },
        context_config: {
          compaction: {
            compaction_interval: 5,
            overlap_size: 2,
            summarizer_model: { type: "ollama", model: "tiny" },
            prompt_template: "Summarise.",
            token_threshold: 50_000,
            event_retention_size: 10,
          },
        },
      }),
    );
  });

  it("has no runtime.json and no credentials.json where kagent's keys say everything", () => {
    const read = readAgentFiles(kagentFiles(), REF);
    assert.ok(read.ok);
    assert.deepEqual(Object.keys(writeAgentFiles(read.value)), ["config.json"]);
  });

  it("puts into runtime.json what kagent has no key for, and that only", () => {
    const read = readAgentFiles(kagentFiles(), REF);
    assert.ok(read.ok);
    const { hash: _, ...rest } = read.value;
    const files = writeAgentFiles(hashed({ ...rest, envelope: "render" }));
    assert.equal(files["runtime.json"], '{"envelope":"render"}');
  });

  it("reads a config.json of kagent alone, with the defaults of an Agent", () => {
    const read = readAgentFiles(
      kagentFiles({
        http_tools: [
          { params: { url: "http://tools.other:8084/mcp", headers: { a: "b" }, timeout: 5 } },
        ],
        remote_agents: [{ name: "other__NS__my_helper", url: "http://my-helper.other:8080" }],
        memory: { embedding: { type: "ollama", model: "nomic-embed-text" } },
        context_config: { compaction: {} },
        share_tools: true,
      }),
      REF,
    );
    assert.ok(read.ok, JSON.stringify(read));
    const { value } = read;
    assert.equal(value.stream, false);
    assert.deepEqual(value.model, {
      ref: { namespace: "kagent", name: "default-model-config" },
      provider: "OpenAI",
      model: "gpt-4o",
      openAI: { apiFormat: "chatCompletions" },
    });
    assert.deepEqual(value.toolServers, [
      {
        server: {
          ref: { namespace: "kagent", name: "tools" },
          url: "http://tools.other:8084/mcp",
          protocol: "STREAMABLE_HTTP",
          timeoutMs: 5_000,
          sseReadTimeoutMs: 300_000,
          terminateOnClose: true,
          headers: { a: "b" },
        },
        toolNames: [],
        requireApproval: [],
        allowedHeaders: [],
      },
    ]);
    assert.deepEqual(value.agents[0]?.ref, { namespace: "other", name: "my-helper" });
    const { memory } = value;
    assert.deepEqual([memory?.ttlDays, memory?.embedding.provider], [15, "Ollama"]);
    assert.deepEqual(value.compaction, { interval: 5, overlap: 2 });
    assert.equal(value.limits.maxModelCalls, 50);
    assert.deepEqual(value.approval, { mode: "listed", timeoutMs: 3_600_000, approvers: [] });
  });

  for (const [what, files, expected] of [
    ["no config.json", {}, ["config.json: agent kagent/tester has no such file"]],
    [
      "text that is no JSON, without quoting it",
      { ...kagentFiles(), "credentials.json": "{s3cret" },
      ["credentials.json: is no JSON"],
    ],
    [
      "wrong values in all files at once",
      {
        "config.json": JSON.stringify({ model: { type: 5 }, instruction: "a" }),
        "runtime.json": JSON.stringify({ envelope: "many", limits: {}, more: 1 }),
      },
      [
        "config.json.model.type: must be a string, is an integer (put it in quotes)",
        "config.json.model.model: is required",
        'runtime.json.envelope: must be "none" or "render"',
        "runtime.json.limits.maxModelCalls: is required",
        "runtime.json.limits.maxToolCalls: is required",
        "runtime.json.limits.maxDurationMs: is required",
        "runtime.json.limits.maxParallelTools: is required",
        "runtime.json.limits.repeatedCalls: is required",
        'runtime.json.more: unknown field "more"',
      ],
    ],
    [
      "a credential that is not there",
      kagentFiles({ model: { ...KAGENT_MODEL, headers: { a: "credential:gone" } } }),
      ['credentials.json: has no credential "gone", which model.headers.a refers to'],
    ],
    [
      "authorities in a file of its own",
      kagentFiles({ model: { ...KAGENT_MODEL, tls_ca_cert_path: "/etc/ssl/ca.crt" } }),
      ["config.json.model.tls_ca_cert_path: must be credential:<id>: files are not followed"],
    ],
    [
      "a file that no Secret holds",
      { "config.json": " ".repeat(1_048_577) },
      ["config.json: is longer than 1048576 characters"],
    ],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.deepEqual(problems(files), expected);
    });
  }

  it("throws for nothing that stands in the files", () => {
    const file = fc.oneof(fc.string(), fc.json());
    fc.assert(
      fc.property(file, file, file, file, (config, runtime, credentials, card) => {
        readAgentFiles(
          {
            "config.json": config,
            "runtime.json": runtime,
            "credentials.json": credentials,
            "agent-card.json": card,
          },
          REF,
        );
      }),
    );
  });
});
