import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { readSse } from "../../support/a2a-server.ts";
import { startPlatform, type TestPlatform } from "../../support/local-platform.ts";
import { readAll } from "../../support/read-all.ts";
import { answerLines, type OllamaReply, ScriptedOllama } from "../../support/scripted-ollama.ts";

type Json = Record<string, unknown>;

interface Answer {
  readonly id?: unknown;
  readonly result?: Json;
  readonly error?: { readonly code: number; readonly message: string };
}

const JSON_TYPE = { "content-type": "application/json" };
const DIALECTS = {
  "0.3": {
    headers: {},
    send: "message/send",
    stream: "message/stream",
    get: "tasks/get",
    cancel: "tasks/cancel",
    subscribe: "tasks/resubscribe",
    message: { kind: "message", role: "user" },
    part: { kind: "text" },
    now: { blocking: false },
    completed: "completed",
    canceled: "canceled",
    working: "working",
    taskOf: (result: Json) => result,
  },
  "1.0": {
    headers: { "a2a-version": "1.0" },
    send: "SendMessage",
    stream: "SendStreamingMessage",
    get: "GetTask",
    cancel: "CancelTask",
    subscribe: "SubscribeToTask",
    message: { role: "ROLE_USER" },
    part: {},
    now: { returnImmediately: true },
    completed: "TASK_STATE_COMPLETED",
    canceled: "TASK_STATE_CANCELED",
    working: "TASK_STATE_WORKING",
    taskOf: (result: Json) => result["task"] as Json,
  },
} as const;

const stateOf = (task: Json | undefined): string =>
  (task?.["status"] as { readonly state: string } | undefined)?.state ?? "";

for (const [version, dialect] of Object.entries(DIALECTS))
  describe(`runtime/local/Platform over plain A2A ${version}`, function () {
    this.timeout(30_000);
    let ollama: ScriptedOllama;
    let test: TestPlatform;
    let reply: OllamaReply;
    let asked = Promise.withResolvers<undefined>();
    before(async () => {
      ollama = await ScriptedOllama.start({
        models: [{ name: "qwen:7b", capabilities: ["completion", "tools"] }],
        onChat: () => {
          asked.resolve(undefined);
          return reply;
        },
      });
      test = await startPlatform({ ollamaHost: ollama.url });
    });
    after(async () => {
      await test.stop();
      await ollama.close();
    });

    const post = (method: string, params: Json): Promise<Response> =>
      fetch(`${test.report.urls.api}/api/a2a/kagent/code-agent/`, {
        method: "POST",
        headers: { ...JSON_TYPE, ...dialect.headers },
        body: JSON.stringify({ jsonrpc: "2.0", id: "r-1", method, params }),
      });
    const rpc = async (method: string, params: Json): Promise<Json> => {
      const answer = (await (await post(method, params)).json()) as Answer;
      assert.equal(answer.id, "r-1");
      assert.ok(answer.result !== undefined, JSON.stringify(answer.error));
      return answer.result;
    };
    const message = (text: string): Json => ({
      message: { ...dialect.message, messageId: "m-1", parts: [{ ...dialect.part, text }] },
    });
    /** A task whose model thinks until it is stopped. */
    const underWay = async (): Promise<string> => {
      reply = { silence: true };
      asked = Promise.withResolvers();
      const configuration = dialect.now;
      const task = dialect.taskOf(await rpc(dialect.send, { ...message("hm"), configuration }));
      await asked.promise;
      return task["id"] as string;
    };
    const says = (...text: string[]): void => {
      reply = { lines: answerLines({ text }) };
    };

    it("answers a message with its task, which can be read again", async () => {
      says("It is 714.");
      const task = dialect.taskOf(await rpc(dialect.send, message("17 % of 4200?")));
      assert.equal(stateOf(task), dialect.completed);
      assert.match(JSON.stringify(task["artifacts"]), /It is 714\./);
      const again = await rpc(dialect.get, { id: task["id"] });
      assert.equal(again["id"], task["id"]);
      assert.match(JSON.stringify(again["artifacts"]), /It is 714\./);
    });

    it("streams an answer as server-sent events", async () => {
      says("It ", "is ", "714.");
      const response = await post(dialect.stream, message("17 % of 4200?"));
      assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
      const events = (await readAll(readSse(response))).map(({ data }) => data as Answer);
      assert.ok(events.length >= 3, JSON.stringify(events));
      assert.ok(events.every(({ id, error }) => id === "r-1" && error === undefined));
      assert.match(JSON.stringify(events), /714\./);
      assert.match(JSON.stringify(events.at(-1)), new RegExp(`"${dialect.completed}"`));
    });

    it("cancels a task under way, and tells those who read it", async () => {
      const id = await underWay();
      assert.equal(stateOf(await rpc(dialect.get, { id })), dialect.working);
      const stream = await post(dialect.subscribe, { id });
      assert.match(stream.headers.get("content-type") ?? "", /^text\/event-stream/);
      const events = readAll(readSse(stream));
      assert.equal(stateOf(await rpc(dialect.cancel, { id })), dialect.canceled);
      assert.match(JSON.stringify((await events).at(-1)), new RegExp(`"${dialect.canceled}"`));
      assert.equal(
        stateOf(await rpc(dialect.cancel, { id })),
        dialect.canceled,
        "twice is no error",
      );
    });

    it("does not cancel what is over (-32002), and knows nothing of a task that is none", async () => {
      says("Done.");
      const { id } = dialect.taskOf(await rpc(dialect.send, message("17 % of 4200?")));
      const over = (await (await post(dialect.cancel, { id })).json()) as Answer;
      assert.equal(over.error?.code, -32002);
      const none = (await (await post(dialect.get, { id: "none" })).json()) as Answer;
      assert.equal(none.error?.code, -32001);
    });
  });

describe("runtime/local/Platform over HTTP", function () {
  this.timeout(30_000);
  let test: TestPlatform;
  before(async () => {
    test = await startPlatform();
  });
  after(() => test.stop());

  it("serves a card for each agent, whose address answers", async () => {
    for (const agent of test.report.agents) {
      const url = `${test.report.urls.api}/api/a2a/${agent}/.well-known/agent-card.json`;
      const response = await fetch(url);
      assert.equal(response.status, 200, agent);
      const card = (await response.json()) as Json;
      assert.notEqual(card["description"], "");
      assert.ok(Array.isArray(card["skills"]));
      assert.ok(JSON.stringify(card).includes(`${test.report.urls.api}/api/a2a/${agent}`), agent);
    }
  });

  const endpoints: readonly (readonly [string, () => string, string, Json])[] = [
    ["/mcp", () => `${test.report.urls.api}/mcp`, "list_agents", {}],
    ["the MCP endpoint", () => test.report.urls.mcp, "list_agents", {}],
    [
      "the gateway's route",
      () => `${test.report.urls.toolGateway}/mcp/k8s`,
      "k8s-tools-services-amer_k8s_get_resources",
      { resource_type: "pods", namespace: "shop" },
    ],
  ];
  for (const [name, url, tool, args] of endpoints)
    it(`speaks MCP at ${name} as the Inspector does`, async () => {
      const headers: Record<string, string> = {
        ...JSON_TYPE,
        accept: "application/json, text/event-stream",
      };
      const post = (body: Json): Promise<Response> =>
        fetch(url(), {
          method: "POST",
          headers,
          body: JSON.stringify({ jsonrpc: "2.0", ...body }),
        });
      const resultOf = async (response: Response): Promise<Json> => {
        const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
        const events = isStream === true ? await readAll(readSse(response)) : undefined;
        const answer = (
          events === undefined ? await response.json() : events.at(-1)?.data
        ) as Answer;
        assert.ok(answer.result !== undefined, JSON.stringify(answer));
        return answer.result;
      };
      const opened = await post({
        id: 0,
        method: "initialize",
        params: {
          protocolVersion: "2025-06-18",
          capabilities: {},
          clientInfo: { name: "inspector", version: "1" },
        },
      });
      const session = opened.headers.get("mcp-session-id");
      if (session !== null) headers["mcp-session-id"] = session;
      const { protocolVersion } = await resultOf(opened);
      headers["mcp-protocol-version"] = protocolVersion as string;
      assert.equal((await post({ method: "notifications/initialized" })).status, 202);
      const listed = await resultOf(await post({ id: 1, method: "tools/list", params: {} }));
      const names = (listed["tools"] as { readonly name: string }[]).map((each) => each.name);
      assert.ok(names.includes(tool), names.join());
      const params = { name: tool, arguments: args };
      const called = await resultOf(await post({ id: 2, method: "tools/call", params }));
      assert.notEqual(called["isError"], true, JSON.stringify(called));
      assert.match(JSON.stringify(called["content"]), /agent|checkout/);
    });

  const big = JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    method: "x",
    params: "x".repeat(10_000_000),
  });
  const rows: readonly (readonly [
    string,
    string,
    Record<string, string>,
    string,
    number,
    RegExp,
  ])[] = [
    ["bad JSON", "code-agent", JSON_TYPE, "{", 200, /not JSON/],
    ["a body of 10 MB", "code-agent", JSON_TYPE, big, 413, /larger|bytes/],
    ["an unknown agent", "nobody", JSON_TYPE, "{}", 404, /agent kagent\/nobody not found/],
    [
      "an unknown method",
      "code-agent",
      JSON_TYPE,
      '{"jsonrpc":"2.0","id":1,"method":"tasks/destroy","params":{}}',
      200,
      /tasks\/destroy/,
    ],
    ["another content type", "code-agent", { "content-type": "text/plain" }, "{}", 415, /json/],
  ];
  for (const [what, agent, headers, body, status, says] of rows)
    for (const at of ["api", "gateway"] as const)
      it(`refuses ${what} at the ${at} with clear words, and goes on`, async () => {
        const { api, agentGateway } = test.report.urls;
        const base = at === "api" ? `${api}/api/a2a` : `${agentGateway}/agents`;
        const response = await fetch(`${base}/kagent/${agent}/`, { method: "POST", headers, body });
        assert.equal(response.status, status);
        const { error } = (await response.json()) as Answer;
        assert.match(error?.message ?? "", says);
        const card = await fetch(`${base}/kagent/code-agent/.well-known/agent-card.json`);
        assert.equal(card.status, 200);
        await card.body?.cancel();
      });
});
