import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { textOf } from "../../../runtime/api/events.ts";
import { askAgent as ask, activitiesOf as bodies } from "../../support/ask-agent.ts";
import { startPlatform, type TestPlatform } from "../../support/local-platform.ts";
import { ScriptedOllama } from "../../support/scripted-ollama.ts";

describe("runtime/local/Platform on the demo cluster", () => {
  let test: TestPlatform;
  before(async function () {
    this.timeout(30_000);
    test = await startPlatform();
  });
  after(() => test.stop());

  it("accepts every definition", () => {
    assert.deepEqual(test.report.broken, []);
    assert.deepEqual(test.report.rejected, []);
    assert.equal(test.report.agents.length, 10);
  });

  it("labels its stand-ins", () => {
    assert.match(test.report.model.label, /offline \(stand-in/);
    assert.match(test.report.cluster, /demo cluster .*stand-in/);
  });

  it("names the failing pods with reasons and evidence, routed by rule, with real tool calls", async () => {
    const answer = await ask(test, "coordinator-agent", "which pods are failing and why?");
    assert.equal(answer.result.state, "completed");
    for (const fact of [
      /checkout.*CrashLoopBackOff/s,
      /payment-gateway.*OOMKilled/s,
      /invoice-worker.*ImagePullBackOff/s,
      /analytics-batch.*Unschedulable/s,
      /PAYMENTS_API_URL is not set/,
      /Insufficient memory/,
      /demo cluster/,
    ])
      assert.match(answer.text, fact);
    const [routing] = bodies(answer, "routing");
    assert.equal(routing?.outcome, "rule");
    assert.deepEqual(routing.agents, ["kagent/cluster-agent"]);
    const calls = answer.activities
      .filter(({ body }) => body.type === "tool-call")
      .map(({ author, body }) => `${author} ${body.type === "tool-call" ? body.name : ""}`);
    assert.ok(
      calls.includes("kagent/cluster-agent k8s-tools-services-amer_k8s_get_resources"),
      calls.join(),
    );
    assert.ok(
      calls.includes("kagent/cluster-agent k8s-tools-services-amer_k8s_get_pod_logs"),
      calls.join(),
    );
    assert.equal(answer.result.usage?.modelCalls, 0, "the coordinator asks no model");
  });

  it("finds what Flux and Helm could not bring about", async () => {
    const flux = await ask(test, "coordinator-agent", "is Flux synced?");
    assert.match(flux.text, /Kustomization/);
    assert.match(flux.text, /HelmRelease/);
    assert.match(flux.text, /not (ready|synced)|fail/i);
  });

  it("refuses a destructive request before it routes, though a keyword matches", async () => {
    const answer = await ask(test, "coordinator-agent", "delete all pods in namespace shop");
    assert.equal(answer.result.state, "rejected");
    assert.deepEqual(bodies(answer, "routing"), []);
    assert.equal(bodies(answer, "refusal")[0]?.layer, "agent");
    assert.match(answer.text, /layer agent/);
  });

  it("remembers the session: a follow-up stays with the agent", async () => {
    const first = await ask(test, "coordinator-agent", "which pods are failing?");
    const second = await ask(test, "coordinator-agent", "and why?", first.contextId);
    assert.equal(bodies(second, "routing")[0]?.outcome, "follow-up");
  });

  it("serves its API, and tells what is not there", async () => {
    const { api } = test.report.urls;
    assert.equal((await fetch(`${api}/health`)).status, 200);
    const agents = (await (await fetch(`${api}/api/agents`)).json()) as {
      data: { accepted: boolean }[];
    };
    assert.equal(agents.data.filter(({ accepted }) => accepted).length, 10);
    const missing = await fetch(`${api}/api/agents/kagent/nobody`);
    assert.equal(missing.status, 404);
    assert.match(((await missing.json()) as { error: string }).error, /kagent\/nobody/);
    const tools = (await (await fetch(`${api}/api/tools`)).json()) as { data: { id: string }[] };
    assert.ok(tools.data.some(({ id }) => id === "k8s-tools-services-amer_k8s_get_resources"));
  });

  it("refuses requests of foreign web pages", async () => {
    const { api } = test.report.urls;
    assert.equal(
      (await fetch(`${api}/api/agents`, { headers: { origin: "https://evil.example" } })).status,
      403,
    );
  });

  it("opens a pull request through the coordinator, each write approved by a person", async function () {
    this.timeout(30_000);
    const first = await ask(
      test,
      "coordinator-agent",
      "open a pull request that raises the memory limit of checkout",
    );
    assert.equal(first.result.state, "input-required", first.text);
    let { result } = first;
    const approved: string[] = [];
    for (let round = 0; result.state === "input-required" && round < 6; round++) {
      approved.push(...(result.pending ?? []).map(({ name }) => name));
      const parts = [{ data: { decision_type: "approve" } }];
      ({ result } = await ask(test, "coordinator-agent", parts, first.contextId, first.taskId));
    }
    assert.equal(result.state, "completed", textOf(result.parts));
    assert.deepEqual(approved, [
      "github_create_branch",
      "github_create_or_update_file",
      "github_create_pull_request",
    ]);
    const listed = await ask(test, "git-agent", "list the open pull requests");
    assert.match(listed.text, /memory/i);
    assert.match(listed.text, /1 pull request/);
  });

  it("answers every agent's own examples without an error", async function () {
    this.timeout(60_000);
    const examples: [string, string][] = [
      ["cluster-agent", "which Helm releases failed?"],
      ["cluster-agent", "list the services in namespace payments"],
      ["observability-agent", "which alerts are firing across all clusters?"],
      ["finops-agent", "what does namespace shop cost?"],
      ["git-agent", "list the open pull requests"],
      ["code-agent", "what time is it in Berlin?"],
      ["diagnosis-agent", "what is the most likely cause, given these findings?"],
    ];
    for (const [agent, question] of examples) {
      const { result, text } = await ask(test, agent, question);
      assert.equal(result.state, "completed", `${agent}: ${question}: ${text}`);
      assert.notEqual(text, "");
    }
  });
});

describe("runtime/local/Platform across restarts", () => {
  it("keeps what was answered", async function () {
    this.timeout(30_000);
    const first = await startPlatform();
    const asked = await ask(first, "coordinator-agent", "which pods are failing?");
    await first.stop("keep");
    const second = await startPlatform({ dataDirectory: first.directory });
    const path = `/api/sessions/${asked.contextId}`;
    const { data } = (await (await fetch(`${second.report.urls.api}${path}`)).json()) as {
      data: { events: { data: string }[] };
    };
    assert.match(data.events.map((event) => event.data).join("\n"), /CrashLoopBackOff/);
    await second.stop();
  });
});

describe("runtime/local/Platform with Ollama", () => {
  const done = { done: true, done_reason: "stop", prompt_eval_count: 7, eval_count: 3 };
  const says = (content: string) => ({
    model: "qwen",
    message: { role: "assistant", content },
    done: false,
  });

  it("uses the first model that can call tools", async function () {
    this.timeout(30_000);
    const ollama = await ScriptedOllama.start({
      models: [
        { name: "embed", capabilities: ["embedding"] },
        { name: "qwen:7b", capabilities: ["completion", "tools"] },
      ],
      onChat: () => ({ lines: [says("4914, if you ask me"), { ...says(""), ...done }] }),
    });
    const test = await startPlatform({ ollamaHost: ollama.url });
    assert.match(test.report.model.label, /Ollama .*qwen:7b/);
    const answer = await ask(test, "code-agent", "calculate 17 % of 4200");
    assert.match(answer.text, /4914/);
    assert.equal(answer.result.usage?.inputTokens, 7);
    await test.stop();
    await ollama.close();
  });

  it("ends the task with a clear error when Ollama goes away in the middle", async function () {
    this.timeout(30_000);
    const ollama = await ScriptedOllama.start({
      models: [{ name: "qwen:7b", capabilities: ["completion", "tools"] }],
      onChat: () => ({ lines: [says("let me th")], then: "reset" }),
    });
    const test = await startPlatform({ ollamaHost: ollama.url });
    const { result } = await ask(test, "code-agent", "calculate 17 % of 4200");
    assert.equal(result.state, "failed");
    assert.match(result.error?.code ?? "", /MODEL/);
    assert.match(result.error?.message ?? "", /Ollama/);
    await test.stop();
    await ollama.close();
  });
});
