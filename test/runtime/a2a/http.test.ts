import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { readSse, serveAgents, type TestServer } from "../../support/a2a-server.ts";
import { readAll } from "../../support/read-all.ts";
import { ScriptedTasks } from "../../support/scripted-tasks.ts";
import { STANDARD_AGENTS } from "../../support/standard-agents.ts";

type Json = Record<string, unknown>;

/** A dialect of A2A as a client without any library writes and reads it. */
interface Dialect {
  readonly version: string;
  readonly headers: Record<string, string>;
  readonly methods: Record<"send" | "stream" | "get" | "cancel" | "list" | "subscribe", string>;
  readonly pushMethods: readonly string[];
  readonly message: (parts: Json[], ids?: Json) => Json;
  readonly text: (text: string) => Json;
  readonly data: (data: unknown) => Json;
  readonly now: Json;
  /** The task in a result of `send`. */
  readonly task: (result: unknown) => Json;
  readonly state: (name: string) => string;
}

const DIALECTS: readonly Dialect[] = [
  {
    version: "1.0",
    headers: { "a2a-version": "1.0" },
    methods: {
      send: "SendMessage",
      stream: "SendStreamingMessage",
      get: "GetTask",
      cancel: "CancelTask",
      list: "ListTasks",
      subscribe: "SubscribeToTask",
    },
    pushMethods: [
      "CreateTaskPushNotificationConfig",
      "GetTaskPushNotificationConfig",
      "ListTaskPushNotificationConfigs",
      "DeleteTaskPushNotificationConfig",
    ],
    message: (parts, ids) => ({ messageId: "m-1", role: "ROLE_USER", parts, ...ids }),
    text: (text) => ({ text }),
    data: (data) => ({ data }),
    now: { returnImmediately: true },
    task: (result) => (result as { task: Json }).task,
    state: (name) => `TASK_STATE_${name.toUpperCase().replaceAll("-", "_")}`,
  },
  {
    version: "0.3",
    headers: {},
    methods: {
      send: "message/send",
      stream: "message/stream",
      get: "tasks/get",
      cancel: "tasks/cancel",
      list: "tasks/list",
      subscribe: "tasks/resubscribe",
    },
    pushMethods: [
      "tasks/pushNotificationConfig/set",
      "tasks/pushNotificationConfig/get",
      "tasks/pushNotificationConfig/list",
      "tasks/pushNotificationConfig/delete",
    ],
    message: (parts, ids) => ({ kind: "message", messageId: "m-1", role: "user", parts, ...ids }),
    text: (text) => ({ kind: "text", text }),
    data: (data) => ({ kind: "data", data }),
    now: { blocking: false },
    task: (result) => result as Json,
    state: (name) => name,
  },
];

for (const dialect of DIALECTS) {
  const { methods, state, task, message, text, data } = dialect;

  describe(`runtime/a2a/http in A2A ${dialect.version}`, () => {
    let tasks: ScriptedTasks;
    let server: TestServer;
    before(async () => {
      tasks = new ScriptedTasks(STANDARD_AGENTS);
      server = await serveAgents(tasks);
    });
    after(() => server.close());

    const post = (agent: string, method: string, params: unknown, headers: Json = {}) =>
      fetch(`${server.url}/api/a2a/kagent/${agent}/`, {
        method: "POST",
        headers: {
          "content-type": "application/json",
          ...dialect.headers,
          ...(headers as Record<string, string>),
        },
        body: JSON.stringify({ jsonrpc: "2.0", id: "r-1", method, params }),
      });
    const rpc = async (agent: string, method: string, params: unknown, headers: Json = {}) => {
      const response = await post(agent, method, params, headers);
      assert.equal(response.status, 200);
      const answer = (await response.json()) as { id: unknown; result?: unknown; error?: Json };
      assert.equal(answer.id, "r-1");
      return answer;
    };
    const ok = async (agent: string, method: string, params: unknown) => {
      const { result, error } = await rpc(agent, method, params);
      assert.equal(error, undefined, JSON.stringify(error));
      return result;
    };
    const refused = async (agent: string, method: string, params: unknown, headers: Json = {}) => {
      const { error } = await rpc(agent, method, params, headers);
      assert.ok(error !== undefined, "an error was expected");
      return error;
    };
    const stream = async (agent: string, method: string, params: unknown) => {
      const response = await post(agent, method, params);
      assert.match(response.headers.get("content-type") ?? "", /^text\/event-stream/);
      assert.equal(response.headers.get("x-accel-buffering"), "no");
      assert.equal(response.headers.get("cache-control"), "no-cache");
      return readSse(response);
    };
    const results = async (events: AsyncIterable<{ data: unknown }>) =>
      (await readAll(events)).map(({ data: item }) => (item as { result: Json }).result);
    const stateOf = (it: Json) => (it["status"] as { state: unknown }).state;
    const ask = (agent: string, more: Json = {}) =>
      ok(agent, methods.send, { message: message([text("hi")]), ...more });

    it("answers a message with the task once the turn is over", async () => {
      const done = task(await ask("answers"));
      assert.equal(stateOf(done), state("completed"));
      assert.deepEqual((done["artifacts"] as Json[])[0]?.["parts"], [text("forty-two")]);
      const history = done["history"] as Json[];
      assert.deepEqual(
        history.map((entry) => entry["parts"]),
        [[text("hi")], [text("forty-two")]],
      );
    });

    it("returns the task at once when asked to", async () => {
      const running = task(await ask("hangs", { configuration: dialect.now }));
      assert.ok([state("submitted"), state("working")].includes(stateOf(running) as string));
      await ok("hangs", methods.cancel, { id: running["id"] });
    });

    it("waits by default, whatever else is configured", async () => {
      const done = task(await ask("slow", { configuration: { historyLength: 1 } }));
      assert.equal(stateOf(done), state("completed"));
      assert.equal((done["history"] as Json[]).length, 1);
    });

    it("stops waiting when the agent asks people, and goes on with their answer", async () => {
      const waiting = task(await ask("asks"));
      assert.equal(stateOf(waiting), state("input-required"));
      const asked = (waiting["status"] as { message: { parts: Json[] } }).message.parts;
      assert.deepEqual(asked[0]?.["data"], {
        name: "adk_request_confirmation",
        id: "confirm-1",
        args: {
          originalFunctionCall: { id: "call-1", name: "delete_file", args: { path: "a.txt" } },
          toolConfirmation: {
            hint: "Tool 'delete_file' requires approval before execution.",
            confirmed: false,
            payload: null,
          },
        },
      });
      assert.deepEqual(asked[0]["metadata"], {
        adk_type: "function_call",
        adk_is_long_running: true,
      });
      const ids = { taskId: waiting["id"], contextId: waiting["contextId"] };
      const approve = message([data({ decision_type: "approve" })], ids);
      const done = task(await ok("asks", methods.send, { message: approve }));
      assert.equal(done["id"], waiting["id"]);
      assert.equal(stateOf(done), state("completed"));
    });

    it("streams a turn from the message to the final status", async () => {
      const params = { message: message([text("hi")]) };
      const items = await results(await stream("works", methods.stream, params));
      const last = items.at(-1) ?? {};
      const final = (last["statusUpdate"] ?? last) as Json;
      assert.equal(stateOf(final), state("completed"));
      assert.deepEqual((final["metadata"] as Json)["kagent.dev/usage"], {
        inputTokens: 12,
        outputTokens: 5,
        cachedTokens: 3,
        modelCalls: 2,
        toolCalls: 1,
      });
      const artifacts = items.filter(
        (item) => "artifactUpdate" in item || item["kind"] === "artifact-update",
      );
      assert.equal(artifacts.length, 1);
      assert.equal(items.indexOf(artifacts[0] ?? {}), items.length - 2);
      const first = items[0] ?? {};
      if (dialect.version === "1.0") {
        const submitted = task(first);
        assert.equal(stateOf(submitted), state("submitted"));
        assert.deepEqual((submitted["history"] as Json[])[0]?.["parts"], [text("hi")]);
      } else {
        assert.equal(first["kind"], "status-update");
        assert.equal(stateOf(first), "submitted");
        assert.deepEqual((first["status"] as { message: Json }).message["parts"], [text("hi")]);
        assert.deepEqual(
          items.flatMap((item) => ("final" in item ? [item["final"]] : [])),
          [...Array<boolean>(items.length - 2).fill(false), true],
        );
      }
    });

    it("ends a stream at the question to people, and streams on after the answer", async () => {
      const asking = await stream("asks", methods.stream, { message: message([text("hi")]) });
      const asked = (await results(asking)).at(-1) ?? {};
      const update = (asked["statusUpdate"] ?? asked) as Json;
      assert.equal(stateOf(update), state("input-required"));
      if (dialect.version === "0.3") assert.equal(update["final"], true);
      const answer = message([data({ decision_type: "approve" })], { taskId: update["taskId"] });
      const going = await results(await stream("asks", methods.stream, { message: answer }));
      const last = going.at(-1) ?? {};
      assert.equal(stateOf((last["statusUpdate"] ?? last) as Json), state("completed"));
      if (dialect.version === "1.0") assert.equal(task(going[0])["id"], update["taskId"]);
    });

    it("joins a task under way, and tells its end", async () => {
      const running = task(await ask("hangs", { configuration: dialect.now }));
      const joined = await stream("hangs", methods.subscribe, { id: running["id"] });
      const first = await joined.next();
      const snapshot = task((first.value?.data as { result: unknown }).result);
      assert.equal(snapshot["id"], running["id"]);
      await ok("hangs", methods.cancel, { id: running["id"] });
      const last = (await results(joined)).at(-1) ?? {};
      assert.equal(stateOf((last["statusUpdate"] ?? last) as Json), state("canceled"));
    });

    it("refuses to join a task that is over (-32004) or unknown (-32001)", async () => {
      const done = task(await ask("answers"));
      const over = await refused("answers", methods.subscribe, { id: done["id"] });
      assert.equal(over["code"], -32004);
      const unknown = await refused("answers", methods.subscribe, { id: "none" });
      assert.equal(unknown["code"], -32001);
    });

    it("cancels a task, twice without an error, but not one that is over (-32002)", async () => {
      const running = task(await ask("hangs", { configuration: dialect.now }));
      const params = { id: running["id"] };
      const gone = task(wrapped(await ok("hangs", methods.cancel, params)));
      assert.equal(stateOf(gone), state("canceled"));
      const again = task(wrapped(await ok("hangs", methods.cancel, params)));
      assert.equal(stateOf(again), state("canceled"));
      const done = task(await ask("answers"));
      const over = await refused("answers", methods.cancel, { id: done["id"] });
      assert.equal(over["code"], -32002);
    });

    it("gives a task with as much history as asked for, to its owner only", async () => {
      const done = task(await ask("works"));
      const get = async (params: Json) => {
        const found = task(wrapped(await ok("works", methods.get, { id: done["id"], ...params })));
        return (found["history"] ?? []) as Json[];
      };
      assert.equal((await get({})).length, 5);
      assert.equal((await get({ historyLength: 0 })).length, 0);
      assert.equal((await get({ historyLength: 99 })).length, 5);
      assert.deepEqual((await get({ historyLength: 2 })).length, 2);
      const other = await refused("works", methods.get, { id: done["id"] }, { "x-user-id": "bob" });
      assert.equal(other["code"], -32001);
      const wrong = await refused("works", methods.get, { id: done["id"], historyLength: -1 });
      assert.equal(wrong["code"], -32602);
    });

    it("lists tasks by page, context and state, with artifacts on request", async () => {
      const first = task(await ask("answers"));
      await ask("answers");
      const list = async (params: Json) =>
        (await ok("answers", methods.list, params)) as {
          tasks: Json[];
          nextPageToken: string;
          pageSize: number;
          totalSize: number;
        };
      const all = await list({});
      assert.equal(all.pageSize, 50);
      assert.equal(all.totalSize, all.tasks.length);
      assert.equal(all.nextPageToken, "");
      assert.ok(!("artifacts" in (all.tasks[0] ?? {})));
      const page = await list({ pageSize: 1 });
      assert.equal(page.tasks.length, 1);
      const next = await list({ pageSize: 1, pageToken: page.nextPageToken });
      assert.notEqual(next.tasks[0]?.["id"], page.tasks[0]?.["id"]);
      const { tasks: own } = await list({
        contextId: first["contextId"],
        includeArtifacts: true,
        historyLength: 0,
      });
      assert.deepEqual(
        own.map(({ id }) => id),
        [first["id"]],
      );
      assert.equal((own[0]?.["artifacts"] as Json[]).length, 1);
      assert.ok(!("history" in (own[0] ?? {})));
      assert.equal((await list({ status: state("failed") })).totalSize, 0);
      assert.equal((await list({ status: state("auth-required") })).totalSize, 0);
      for (const params of [
        { pageSize: 101 },
        { pageSize: 0 },
        { pageToken: "nonsense" },
        { status: "odd" },
      ])
        assert.equal((await refused("answers", methods.list, params))["code"], -32602);
    });

    it("tells why a turn failed, with its code", async () => {
      const failed = task(await ask("fails"));
      assert.equal(stateOf(failed), state("failed"));
      const { parts } = (failed["status"] as { message: Json }).message;
      assert.deepEqual(parts, [text("the model is away")]);
      assert.equal((failed["metadata"] as Json)["adk_error_code"], "MODEL_UNAVAILABLE");
    });

    it("keeps the partial answer of a turn that a limit stopped", async () => {
      const stopped = task(await ask("limited"));
      assert.equal(stateOf(stopped), state("failed"));
      assert.deepEqual((stopped["artifacts"] as Json[])[0]?.["parts"], [text("so far: half")]);
      const metadata = stopped["metadata"] as Json;
      assert.deepEqual(metadata["kagent.dev/limit"], { limit: "maxToolCalls", value: 3 });
      assert.equal(metadata["adk_error_code"], "LIMIT_EXCEEDED");
    });

    it("tells which layer refused a request, and in whose words", async () => {
      const rejected = task(await ask("refuses"));
      assert.equal(stateOf(rejected), state("rejected"));
      const { parts } = (rejected["status"] as { message: Json }).message;
      assert.deepEqual(parts, [text("I do not delete clusters.")]);
      assert.deepEqual((rejected["metadata"] as Json)["kagent.dev/refusal"], {
        layer: "agent",
        rule: "no-delete",
        message: "I do not delete clusters.",
      });
    });

    it("has no push notifications (-32003), neither by method nor with a message", async () => {
      const push = { taskId: "t", id: "t", url: "http://127.0.0.1/", pushNotificationConfig: {} };
      for (const method of dialect.pushMethods)
        assert.equal((await refused("answers", method, push))["code"], -32003, method);
      const { error } = await rpc("answers", methods.send, {
        message: message([text("hi")]),
        configuration: { taskPushNotificationConfig: push, pushNotificationConfig: push },
      });
      assert.equal(error?.["code"], -32003);
    });

    it("works without the slash at the end", async () => {
      const response = await fetch(`${server.url}/api/a2a/kagent/answers`, {
        method: "POST",
        headers: { "content-type": "application/json", ...dialect.headers },
        body: JSON.stringify({
          jsonrpc: "2.0",
          id: 7,
          method: methods.send,
          params: { message: message([text("hi")]) },
        }),
      });
      const { result, id } = (await response.json()) as { result: unknown; id: unknown };
      assert.equal(id, 7);
      assert.equal(stateOf(task(result)), state("completed"));
    });

    it("leaves no reader behind", () => {
      assert.equal(tasks.readers, 0);
    });

    /** GetTask and CancelTask return the bare task in both versions. */
    function wrapped(result: unknown): unknown {
      return dialect.version === "1.0" ? { task: result } : result;
    }
  });
}

describe("runtime/a2a/http cards", () => {
  let server: TestServer;
  before(async () => {
    server = await serveAgents(new ScriptedTasks(STANDARD_AGENTS));
  });
  after(() => server.close());

  const url = "http://agents.example/api/a2a/kagent/two-words/";
  for (const path of ["agent-card.json", "agent.json", "agent-card.json/", "agent.json/"]) {
    it(`serves a card that 0.3 and 1.0 read at ${path}`, async () => {
      const response = await fetch(`${server.url}/api/a2a/kagent/two-words/.well-known/${path}`);
      assert.equal(response.headers.get("vary"), "A2A-Version");
      const found = (await response.json()) as Json;
      assert.equal(found["name"], "two_words");
      assert.equal(found["url"], url);
      assert.equal(found["protocolVersion"], "0.3");
      assert.equal(found["preferredTransport"], "JSONRPC");
      assert.deepEqual(found["capabilities"], { streaming: true, pushNotifications: false });
      assert.deepEqual(found["defaultInputModes"], ["text"]);
      assert.deepEqual(
        (found["supportedInterfaces"] as Json[]).map((item) => [
          item["url"],
          item["protocolBinding"],
          item["protocolVersion"],
        ]),
        [
          [url, "JSONRPC", "1.0"],
          [url, "JSONRPC", "0.3"],
        ],
      );
    });
  }

  it("serves the pure 1.0 card to who asks for 1.0", async () => {
    const at = `${server.url}/api/a2a/kagent/two-words/.well-known/agent-card.json`;
    const found = (await (await fetch(at, { headers: { "a2a-version": "1.0" } })).json()) as Json;
    assert.ok(!("url" in found) && !("preferredTransport" in found));
    assert.equal((found["skills"] as Json[])[0]?.["id"], "s1");
  });
});
