import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { readSse, serveAgents, type TestServer } from "../../support/a2a-server.ts";
import { readAll } from "../../support/read-all.ts";
import { ScriptedTasks } from "../../support/scripted-tasks.ts";
import { STANDARD_AGENTS } from "../../support/standard-agents.ts";

type Json = Record<string, unknown>;

interface Update {
  readonly kind: string;
  readonly taskId: string;
  readonly contextId: string;
  readonly final?: boolean;
  readonly status?: { readonly state: string; readonly message?: { readonly parts: Json[] } };
  readonly artifact?: { readonly parts: Json[] };
  readonly lastChunk?: boolean;
  readonly metadata: Json;
}

describe("runtime/a2a/wire-events as kagent's clients read them", () => {
  let server: TestServer;
  let updates: Update[];
  before(async () => {
    server = await serveAgents(new ScriptedTasks(STANDARD_AGENTS));
    updates = await turnOf("works");
  });
  after(() => server.close());

  async function turnOf(name: string): Promise<Update[]> {
    const message = {
      kind: "message",
      messageId: "m-1",
      role: "user",
      parts: [{ kind: "text", text: "which pods are failing?" }],
    };
    const response = await fetch(`${server.url}/api/a2a/kagent/${name}/`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "message/stream",
        params: { message },
      }),
    });
    const events = await readAll(readSse(response));
    return events.map(({ data }) => (data as { result: Update }).result);
  }

  const partsOf = ({ status, artifact }: Update) => artifact?.parts ?? status?.message?.parts ?? [];

  it("come in kagent's order", () => {
    const seen = updates.map((update) => {
      const what = partsOf(update).map((part) =>
        part["kind"] === "data" ? (part["metadata"] as Json)["adk_type"] : part["text"],
      );
      return [update.status?.state ?? "artifact", ...what].join(" | ");
    });
    assert.deepEqual(seen, [
      "submitted | which pods are failing?",
      "working",
      "working", // the routing decision, in the metadata
      "working | let me see | looking",
      "working | function_call",
      "working | function_call", // of a delegate
      "working | function_response",
      "working | one pod",
      "working | hm | one pod is failing",
      "artifact | one pod is failing",
      "completed",
    ]);
    assert.deepEqual(
      updates.filter(({ final }) => final === true),
      updates.slice(-1),
    );
    assert.equal(updates.at(-2)?.lastChunk, true);
  });

  it("carry kagent's keys", () => {
    const { taskId, contextId } = updates[0]!;
    for (const { metadata, ...update } of updates) {
      assert.equal(update.taskId, taskId);
      assert.equal(update.contextId, contextId);
      assert.equal(metadata["adk_user_id"], "ann");
      assert.equal(metadata["adk_session_id"], contextId);
      assert.equal(metadata["adk_invocation_id"], taskId);
    }
    assert.deepEqual(
      updates.map(({ metadata }) => metadata["adk_author"]),
      [
        "user",
        ...Array<string>(4).fill("works"),
        "helper_agent",
        ...Array<string>(5).fill("works"),
      ],
    );
    assert.equal(updates[0]?.metadata["adk_app_name"], "kagent__NS__works");
    assert.equal(updates[5]?.metadata["adk_app_name"], "kagent__NS__helper_agent");
    assert.deepEqual(
      updates.map(({ metadata }) => metadata["adk_partial"] === true),
      updates.map((_, index) => index === 7),
    );
    assert.deepEqual(updates.at(-1)?.metadata["adk_usage_metadata"], {
      promptTokenCount: 12,
      candidatesTokenCount: 5,
      cachedContentTokenCount: 3,
      totalTokenCount: 17,
    });
  });

  it("carry ours: numbers, authors, the routing decision, what is a delegate's", () => {
    const keyed = (key: string) => updates.map(({ metadata }) => metadata[`kagent.dev/${key}`]);
    assert.deepEqual(keyed("seq"), [undefined, 2, 3, 4, 5, undefined, 6, undefined, 7, 7, 8]);
    assert.equal(keyed("author")[5], "kagent/helper-agent");
    assert.deepEqual(
      keyed("activity").map(Boolean),
      updates.map((_, index) => index === 5),
    );
    assert.deepEqual(keyed("routing")[2], {
      outcome: "rule",
      rules: ["pods"],
      agents: ["kagent/works"],
      matched: { pods: ["pods"] },
      scores: { pods: 1 },
    });
  });

  it("show calls and results as kagent's data parts, thoughts as its thoughts", () => {
    assert.deepEqual(partsOf(updates[4]!)[0], {
      kind: "data",
      data: {
        id: "call-7",
        name: "k8s-tools-dev_k8s_get_resources",
        args: { resource_type: "pods" },
      },
      metadata: { adk_type: "function_call" },
    });
    assert.deepEqual(partsOf(updates[6]!)[0], {
      kind: "data",
      data: {
        id: "call-7",
        name: "k8s-tools-dev_k8s_get_resources",
        response: {
          isError: false,
          result: { content: [{ type: "text", text: "web-1 CrashLoopBackOff" }] },
        },
      },
      metadata: { adk_type: "function_response" },
    });
    assert.deepEqual(partsOf(updates[8]!)[0]?.["metadata"], { kagent_thought: true });
  });

  it("fail with the error's text and code", async () => {
    const last = (await turnOf("fails")).at(-1)!;
    assert.equal(last.status?.state, "failed");
    assert.equal(last.final, true);
    assert.deepEqual(partsOf(last), [{ kind: "text", text: "the model is away" }]);
    assert.equal(last.metadata["adk_error_code"], "MODEL_UNAVAILABLE");
  });
});
