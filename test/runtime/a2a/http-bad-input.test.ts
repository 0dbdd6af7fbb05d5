import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import * as fc from "fast-check";
import { after, before, describe, it } from "mocha";
import type { TaskService } from "../../../runtime/a2a/task-service.ts";
import { serveAgents, type TestServer } from "../../support/a2a-server.ts";
import { ScriptedTasks } from "../../support/scripted-tasks.ts";
import { STANDARD_AGENTS } from "../../support/standard-agents.ts";

const V1 = { "a2a-version": "1.0" };
const JSON_TYPE = { "content-type": "application/json" };
const SEND = {
  "1.0": { method: "SendMessage", role: "ROLE_USER" },
  "0.3": { method: "message/send", role: "user" },
} as const;

interface Refusal {
  readonly jsonrpc: string;
  readonly id: unknown;
  readonly error: { readonly code: number; readonly message: string };
}

describe("runtime/a2a/http with bad input", () => {
  let server: TestServer;
  let url: string;
  const logged: unknown[] = [];
  before(async () => {
    const keep = (message: string, fields: unknown) => logged.push([message, fields]);
    const log = { debug: keep, info: keep, warn: keep, error: keep };
    server = await serveAgents(new ScriptedTasks(STANDARD_AGENTS), { log });
    url = `${server.url}/api/a2a/kagent/answers/`;
  });
  after(() => server.close());

  const post = (body: string, headers: Record<string, string> = {}, at = url) =>
    fetch(at, { method: "POST", headers: { ...JSON_TYPE, ...headers }, body });
  const refusal = async (response: Response): Promise<Refusal["error"]> => {
    const body = (await response.json()) as Refusal;
    assert.equal(body.jsonrpc, "2.0");
    return body.error;
  };
  const call = (method: string, params: unknown) =>
    JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });

  it("names an unknown agent and says how to find those there are (404)", async () => {
    for (const path of ["", "/", "/.well-known/agent-card.json"]) {
      const at = `${server.url}/api/a2a/kagent/nobody${path}`;
      const response = path.endsWith("json") ? await fetch(at) : await post("{}", {}, at);
      assert.equal(response.status, 404);
      const { code, message } = await refusal(response);
      assert.equal(code, -32000);
      assert.match(message, /^agent kagent\/nobody not found; .*\/api\/agents.*kagent get agents/);
    }
  });

  it("refuses versions it does not speak (400, -32009)", async () => {
    for (const version of ["9.9", "1.0.0", "1", "0.2", "x".repeat(5_000)]) {
      const response = await post("{}", { "a2a-version": version });
      assert.equal(response.status, 400);
      const { code, message } = await refusal(response);
      assert.equal(code, -32009);
      assert.match(message, /1\.0 and 0\.3 are$/);
      assert.ok(message.length < 100);
    }
  });

  it("takes the version from the query, and an empty one as 0.3", async () => {
    const params = { message: { messageId: "m", role: "ROLE_USER", parts: [{ text: "hi" }] } };
    const modern = await post(call("SendMessage", params), {}, `${url}?A2A-Version=1.0`);
    assert.ok("task" in ((await modern.json()) as { result: object }).result);
    const legacy = await refusal(await post(call("SendMessage", params), { "a2a-version": "" }));
    assert.equal(legacy.code, -32601);
  });

  it("refuses what is not sent as JSON (415)", async () => {
    for (const type of ["text/plain", "application/x-www-form-urlencoded", ""]) {
      const response = await fetch(url, {
        method: "POST",
        headers: { "content-type": type },
        body: "{}",
      });
      assert.equal(response.status, 415);
      assert.match((await refusal(response)).message, /application\/json/);
    }
  });

  it("answers other methods than POST with 405", async () => {
    const response = await fetch(url);
    assert.equal(response.status, 405);
    assert.equal(response.headers.get("allow"), "POST");
    assert.match((await refusal(response)).message, /POST/);
  });

  for (const headers of [V1, {}]) {
    const version = "a2a-version" in headers ? "1.0" : "0.3";
    const { method, role } = SEND[version];
    const message = (more: object) => ({
      message: { kind: "message", messageId: "m", role, parts: [part], ...more },
    });
    const part = version === "1.0" ? { text: "hi" } : { kind: "text", text: "hi" };

    const rows: readonly (readonly [string, string, number, RegExp])[] = [
      ["bad JSON", "{", -32700, /not JSON/],
      ["no body", "", -32700, /not JSON/],
      ["a batch", "[]", -32600, /JSON-RPC/],
      ["a number", "7", -32600, /JSON-RPC/],
      ["null", "null", -32600, /JSON-RPC/],
      ["another protocol", '{"id":1,"method":"x"}', -32600, /JSON-RPC/],
      ["an id that is none", '{"jsonrpc":"2.0","id":{},"method":"x"}', -32600, /JSON-RPC/],
      ["100 levels", `${"[".repeat(100)}${"]".repeat(100)}`, -32600, /nested/],
      ["an unknown method", call("tasks/destroy", {}), -32601, /tasks\/destroy/],
      ["no params", JSON.stringify({ jsonrpc: "2.0", method }), -32602, /./],
      ["no message", call(method, {}), -32602, /message/],
      ["no message id", call(method, message({ messageId: "" })), -32602, /messageId/],
      ["an agent's message", call(method, message({ role: "agent" })), -32602, /role/],
      ["no parts", call(method, message({ parts: [] })), -32602, /parts/],
      ["parts that are none", call(method, message({ parts: [null] })), -32602, /./],
      ["a part of no kind", call(method, message({ parts: [{}] })), -32602, /part/],
      ["a file without content", call(method, message({ parts: [{ kind: "file" }] })), -32602, /./],
      [
        "101 parts",
        call(method, message({ parts: Array(101).fill(part) })),
        -32602,
        /101 parts, at most 100/,
      ],
      [
        "a control character in an id",
        call(method, message({ contextId: "a\u0000" })),
        -32602,
        /contextId/,
      ],
      ["an endless id", call(method, message({ taskId: "x".repeat(201) })), -32602, /taskId/],
      ["an unknown task", call(method, message({ taskId: "none" })), -32001, /none/],
    ];
    for (const [what, body, code, words] of rows) {
      it(`refuses ${what} in A2A ${version} (${code})`, async () => {
        const response = await post(body, headers);
        assert.equal(response.status, 200);
        const error = await refusal(response);
        assert.equal(error.code, code, error.message);
        assert.match(error.message, words);
      });
    }
  }

  it("tells how to speak the version that a method belongs to", async () => {
    const modern = await refusal(await post(call("SendMessage", {})));
    assert.match(modern.message, /A2A-Version: 1\.0/);
    const legacy = await refusal(await post(call("message/send", {}), V1));
    assert.match(legacy.message, /0\.3.*without the header/);
  });

  it("bounds text and files of a message", async () => {
    const large = await serveAgents(new ScriptedTasks(STANDARD_AGENTS), {
      limits: { maxParts: 3, maxTextBytes: 10, maxFileBytes: 4 },
    });
    const send = async (parts: readonly object[]) => {
      const params = { message: { messageId: "m", role: "ROLE_USER", parts } };
      const at = `${large.url}/api/a2a/kagent/answers/`;
      const body = (await (await post(call("SendMessage", params), V1, at)).json()) as object;
      return "error" in body ? (body as Refusal).error.message : "taken";
    };
    assert.equal(await send([{ text: "12345" }, { text: "67890" }]), "taken");
    assert.match(await send([{ text: "12345" }, { text: "67890é" }]), /12 bytes of text.*10/);
    assert.equal(await send([{ raw: Buffer.from("1234").toString("base64") }]), "taken");
    assert.match(
      await send([{ raw: Buffer.from("12345").toString("base64") }]),
      /5 bytes of files/,
    );
    await large.close();
  });

  it("refuses a body of 10 MB without reading it (413)", async () => {
    const response = await post("x".repeat(10_000_000));
    assert.equal(response.status, 413);
    assert.match((await refusal(response)).message, /1048576 bytes/);
  });

  it("stops reading a body without length as soon as it is too large (413)", async () => {
    const { port } = new URL(server.url);
    const answered = Promise.withResolvers<number | undefined>();
    const sending = httpRequest({ port, method: "POST", path: new URL(url).pathname });
    sending.setHeader("content-type", "application/json");
    sending.on("response", (response) => {
      answered.resolve(response.statusCode);
      response.resume();
    });
    sending.on("error", () => undefined); // the server hangs up on what it does not want
    const chunk = "x".repeat(64 * 1024);
    let sent = 0;
    const pump = (): void => {
      while (sent < 64 * 1024 * 1024 && !sending.destroyed) {
        sent += chunk.length;
        if (!sending.write(chunk)) {
          sending.once("drain", pump);
          return;
        }
      }
    };
    pump();
    assert.equal(await answered.promise, 413);
    sending.destroy();
  });

  it("tells nothing of what went wrong inside, and logs it", async () => {
    const broken: TaskService = {
      send: () => Promise.reject(new Error("password=hunter2")),
      get: () => Promise.reject(new Error("password=hunter2")),
      list: () => Promise.reject(new Error("password=hunter2")),
      cancel: () => Promise.reject(new Error("password=hunter2")),
      subscribe: () => Promise.reject(new Error("password=hunter2")),
    };
    const lines: string[] = [];
    const log = {
      debug: () => undefined,
      info: () => undefined,
      warn: () => undefined,
      error: (message: string) => void lines.push(message),
    };
    const failing = await serveAgents(broken, { log });
    const at = `${failing.url}/api/a2a/kagent/answers/`;
    const params = {
      id: "t",
      message: { messageId: "m", role: "ROLE_USER", parts: [{ text: "x" }] },
    };
    const methods = [
      "SendMessage",
      "SendStreamingMessage",
      "GetTask",
      "ListTasks",
      "CancelTask",
      "SubscribeToTask",
    ];
    for (const method of methods) {
      const error = await refusal(await post(call(method, params), V1, at));
      assert.deepEqual([error.code, error.message], [-32603, "internal error"]);
    }
    assert.deepEqual(
      lines,
      methods.map(() => "a2a request failed"),
    );
    const throwing = await serveAgents(broken, {
      log,
      caller: () => {
        throw new Error("password=hunter2");
      },
    });
    const response = await post(
      call("GetTask", params),
      V1,
      `${throwing.url}/api/a2a/kagent/answers/`,
    );
    assert.equal(response.status, 500);
    assert.deepEqual(await refusal(response), { code: -32603, message: "internal error" });
    await failing.close();
    await throwing.close();
  });

  it("answers whatever it is sent with JSON-RPC, and goes on", async () => {
    const methods = fc.constantFrom(
      ...["SendMessage", "GetTask", "CancelTask", "ListTasks", "SubscribeToTask"],
      ...["message/send", "tasks/get", "tasks/cancel", "tasks/list", "tasks/resubscribe"],
      ...["tasks/pushNotificationConfig/set", "GetExtendedAgentCard", "SendStreamingMessage", "x"],
    );
    const content = fc.record(
      {
        kind: fc.constantFrom("text", "file", "data", "odd"),
        text: fc.anything(),
        file: fc.anything(),
        raw: fc.anything(),
        data: fc.anything(),
        metadata: fc.anything(),
        mediaType: fc.anything(),
      },
      { requiredKeys: [] },
    );
    const anyMessage = fc.record(
      {
        messageId: fc.anything(),
        role: fc.constantFrom("user", "ROLE_USER", "agent", 1, null, {}),
        parts: fc.oneof(fc.array(fc.oneof(content, fc.anything())), fc.anything()),
        contextId: fc.anything(),
        taskId: fc.anything(),
        metadata: fc.anything(),
        extensions: fc.anything(),
      },
      { requiredKeys: [] },
    );
    const params = fc.record(
      {
        id: fc.anything(),
        message: fc.oneof(anyMessage, fc.anything()),
        configuration: fc.anything(),
        metadata: fc.anything(),
        tenant: fc.anything(),
        historyLength: fc.anything(),
        pageSize: fc.anything(),
        pageToken: fc.anything(),
        status: fc.anything(),
      },
      { requiredKeys: [] },
    );
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({
          jsonrpc: fc.constant("2.0"),
          id: fc.oneof(fc.integer(), fc.string(), fc.constant(null)),
          method: methods,
          params: fc.oneof(params, fc.anything()),
        })
        .map((value) => safeJson(value)),
    );
    await fc.assert(
      fc.asyncProperty(body, fc.constantFrom("1.0", "0.3"), async (text, version) => {
        const response = await post(text, { "a2a-version": version });
        const answer = await response.text();
        if (response.headers.get("content-type") === "text/event-stream") return;
        assert.notEqual(response.status, 500, text);
        const parsed = JSON.parse(answer) as Partial<Refusal>;
        assert.equal(parsed.jsonrpc, "2.0");
        assert.notEqual(parsed.error?.code, -32603, text);
      }),
      { numRuns: 150 },
    );
    assert.deepEqual(logged, []);
  });
});

/** JSON of whatever fast-check thinks of; what has none becomes null. */
function safeJson(value: unknown): string {
  try {
    return JSON.stringify(value, (_key, item: unknown) =>
      typeof item === "bigint" ? item.toString() : item,
    );
  } catch {
    return "null";
  }
}
