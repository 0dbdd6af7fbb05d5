import assert from "node:assert/strict";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "mocha";
import {
  A2aClient,
  type AgentCall,
  AgentCallError,
  type AgentUpdate,
} from "../../../runtime/a2a/client.ts";
import type { Caller, TaskView } from "../../../runtime/a2a/task-service.ts";
import type { ObjectRef } from "../../../runtime/api/names.ts";
import { systemClock } from "../../../runtime/process/clock.ts";
import type { Logger } from "../../../runtime/telemetry/log.ts";
import { serveAgents } from "../../support/a2a-server.ts";
import { resultOf } from "../../support/agent-results.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { readAll } from "../../support/read-all.ts";
import { ScriptedTasks, type ScriptedTurn } from "../../support/scripted-tasks.ts";
import { agent, STANDARD_AGENTS } from "../../support/standard-agents.ts";

const never = new AbortController().signal;
const ann = { user: "ann", headers: {} };
const HANGS = agent("hangs");

/** A log whose lines a test may look at. */
function keptLog() {
  const lines: string[] = [];
  const keep = (message: string): void => {
    lines.push(message);
  };
  const log: Logger = { debug: () => {}, info: keep, warn: keep, error: keep };
  return { lines, log };
}

function clientWith(clock = systemClock, log = keptLog().log): A2aClient {
  return new A2aClient({ clock, log });
}

function call(base: string, name: string, more: Partial<AgentCall> = {}): AgentCall {
  return { url: `${base}/api/a2a/kagent/${name}/`, parts: [{ text: "hi" }], ...more };
}

/** Tasks that count cancellations. */
class CountingTasks extends ScriptedTasks {
  cancelled = 0;
  readonly firstCancel = Promise.withResolvers<undefined>();

  override async cancel(ref: ObjectRef, id: string, caller: Caller): Promise<TaskView> {
    this.cancelled += 1;
    const view = await super.cancel(ref, id, caller);
    this.firstCancel.resolve(undefined);
    return view;
  }
}

/** A clock that counts what it is asked to do. */
class CountingClock extends FakeClock {
  scheduled = 0;

  override schedule(ms: number, work: () => void): () => void {
    this.scheduled += 1;
    return super.schedule(ms, work);
  }
}

/** A server that answers requests by hand, in the order they come. */
async function byHand(answer: (method: string, response: ServerResponse, n: number) => void) {
  const methods: string[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
    request.on("end", () => {
      const method = body === "" ? "" : (JSON.parse(body) as { method: string }).method;
      methods.push(method);
      answer(method, response, methods.length);
    });
  });
  server.on("connection", () => (connections += 1));
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    methods,
    connections: () => connections,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

const TASK = { id: "t-1", contextId: "c-1", status: { state: "TASK_STATE_WORKING" } };
const EVENT_STREAM = { "content-type": "text/event-stream" };

function event(result: unknown, id = 1): string {
  return `data: ${JSON.stringify({ jsonrpc: "2.0", id, result })}\n\n`;
}

function fails(
  updates: Promise<unknown>,
  code: AgentCallError["code"],
  retryable: boolean,
): Promise<void> {
  return assert.rejects(updates, (error) => {
    assert.ok(error instanceof AgentCallError, String(error));
    assert.equal(error.code, code, error.message);
    assert.equal(error.retryable, retryable);
    assert.match(error.message, /127\.0\.0\.1/);
    return true;
  });
}

async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

describe("runtime/a2a/client when calls fail", () => {
  it("says that nobody listens, and that a retry does no work twice", async () => {
    const server = await byHand(() => {});
    await server.close();
    await fails(readAll(clientWith().call(call(server.url, "x"), never)), "unreachable", true);
  });

  it("tells an unknown agent from everything else", async () => {
    const server = await serveAgents(new ScriptedTasks({}));
    for (const card of ["none", "read"] as const) {
      const updates = readAll(clientWith().call(call(server.url, "nobody", { card }), never));
      await fails(updates, "not-found", false);
    }
    await server.close();
  });

  const rows: readonly (readonly [string, number, string, AgentCallError["code"], boolean])[] = [
    ["a page that is not there", 404, "<html>", "not-found", false],
    ["a login page", 401, "<html>", "failed", false],
    ["kagent's own error", 403, '{"error":"forbidden"}', "failed", false],
    ["a proxy without its server", 502, "bad gateway", "unreachable", true],
    ["a server that is full", 429, "", "unreachable", true],
    ["a broken server", 500, "oops", "failed", false],
    ["an answer that is no A2A", 200, "<html>", "protocol", false],
    [
      "a JSON-RPC error",
      200,
      '{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"no"}}',
      "failed",
      false,
    ],
    [
      "another version",
      400,
      '{"jsonrpc":"2.0","id":1,"error":{"code":-32009,"message":"no"}}',
      "protocol",
      false,
    ],
  ];
  for (const [what, status, body, code, retryable] of rows) {
    it(`calls ${what} ${code} (HTTP ${status})`, async () => {
      const server = await byHand((_, response) => {
        response.writeHead(status, { "content-type": "text/html" }).end(body);
      });
      await fails(readAll(clientWith().call(call(server.url, "x"), never)), code, retryable);
      assert.deepEqual(server.methods, ["SendStreamingMessage"]);
      await server.close();
    });
  }

  for (const url of ["", "nowhere", "file:///etc/passwd", "http://me:hunter2@127.0.0.1/x/"]) {
    it(`calls nobody at "${url.replace(/:h.*@/, ":...@")}", and does not repeat it`, async () => {
      const updates = readAll(clientWith().call({ url, parts: [{ text: "hi" }] }, never));
      await assert.rejects(updates, (error) => {
        assert.ok(error instanceof AgentCallError);
        assert.equal(error.code, "failed");
        assert.doesNotMatch(error.message, /hunter2|passwd/);
        return true;
      });
    });
  }

  it("follows no redirect", async () => {
    const elsewhere = await byHand((_, response) => response.end());
    const server = await byHand((_, response) => {
      response.writeHead(307, { location: elsewhere.url }).end();
    });
    await fails(readAll(clientWith().call(call(server.url, "x"), never)), "unreachable", false);
    assert.deepEqual(elsewhere.methods, []);
    await server.close();
    await elsewhere.close();
  });

  it("lets a stream end after its result, to use the connection again", async () => {
    const ended: Promise<unknown>[] = [];
    const server = await byHand((_, response) => {
      const done = { ...TASK, status: { state: "TASK_STATE_COMPLETED" } };
      response.writeHead(200, EVENT_STREAM).write(event({ task: done }));
      ended.push(new Promise((resolve) => response.once("close", resolve)));
      setImmediate(() => setImmediate(() => response.end()));
    });
    for (let n = 0; n < 3; n += 1) {
      const updates = await readAll(clientWith().call(call(server.url, "x"), never));
      assert.equal(resultOf(updates).state, "completed");
      await Promise.all(ended);
      for (let turn = 0; turn < 10; turn += 1) await new Promise((go) => setImmediate(go));
    }
    assert.equal(server.connections(), 1);
    await server.close();
  });

  it("gives up on a server that never answers", async () => {
    const clock = new FakeClock();
    const asked = Promise.withResolvers<undefined>();
    const server = await byHand(() => {
      asked.resolve(undefined);
    });
    const timeouts = { connectMs: 1_000, idleMs: 60_000 };
    const updates = readAll(clientWith(clock).call(call(server.url, "x", { timeouts }), never));
    updates.catch(() => undefined); // looked at below
    await asked.promise;
    await clock.advance(999);
    await clock.advance(1);
    await fails(updates, "timeout", false);
    await until(() => clock.pending === 0);
    await server.close();
  });

  it("takes comments for a sign of life, and gives up on silence", async () => {
    const clock = new CountingClock();
    const streams: ServerResponse[] = [];
    const server = await byHand((method, response) => {
      if (method === "GetTask")
        response.end(JSON.stringify({ jsonrpc: "2.0", id: 3, result: TASK }));
      else if (method === "CancelTask")
        response.end(JSON.stringify({ jsonrpc: "2.0", id: 4, result: TASK }));
      else {
        response.writeHead(200, EVENT_STREAM).write(event({ task: TASK }, streams.length + 1));
        streams.push(response);
      }
    });
    const updates = clientWith(clock).call(call(server.url, "x"), never);
    assert.deepEqual((await updates.next()).value, {
      kind: "task",
      taskId: "t-1",
      contextId: "c-1",
    });
    const next = updates.next();
    next.catch(() => undefined);
    await until(() => clock.pending === 1);
    for (let n = 0; n < 5; n += 1) {
      await clock.advance(50_000);
      const { scheduled } = clock;
      streams[0]?.write(": still here\n\n");
      await until(() => clock.scheduled > scheduled);
    }
    const { scheduled } = clock;
    await clock.advance(60_000); // silence: the task is joined again
    // limits on the answer, on its first bytes and on those after them: the client has read what there is
    await until(() => clock.scheduled === scheduled + 3 && clock.pending === 1);
    await clock.advance(60_000); // silence again: it is asked for once
    await fails(next, "timeout", false);
    await until(() => server.methods.length === 4);
    assert.deepEqual(server.methods, [
      "SendStreamingMessage",
      "SubscribeToTask",
      "GetTask",
      "CancelTask",
    ]);
    await until(() => clock.pending === 0);
    await server.close();
  });

  it("bounds what it takes from a server", async () => {
    const server = await byHand((_, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const chunk = "x".repeat(1024 * 1024);
      const pump = (): void => {
        while (!response.destroyed && response.write(chunk));
        response.once("drain", pump);
      };
      pump();
    });
    await fails(readAll(clientWith().call(call(server.url, "x"), never)), "protocol", false);
    await server.close();
  });
});

describe("runtime/a2a/client when streams break", () => {
  it("joins again and tells every event once", async () => {
    const begun = Promise.withResolvers<ScriptedTurn>();
    const over = Promise.withResolvers<undefined>();
    const tasks = new ScriptedTasks({
      "kagent/works": async (turn) => {
        begun.resolve(turn);
        await over.promise;
      },
    });
    const server = await serveAgents(tasks);
    const reading = clientWith().call(call(server.url, "works"), never);
    const seen: AgentUpdate[] = [];
    const take = async (count: number) => {
      for (let n = 0; n < count; n += 1) {
        const step = await reading.next();
        if (step.done !== true) seen.push(step.value);
      }
    };
    const first = take(1);
    const turn = await begun.promise;
    await first;
    for (let n = 0; n < 3; n += 1) {
      turn.say(`before ${n}`);
      await take(1);
      server.cut();
      turn.say(`while away ${n}`);
      await take(1);
    }
    over.resolve(undefined);
    await take(1);
    const said = seen.flatMap((update) =>
      update.kind === "activity" && update.body.type === "message" ? update.body.parts : [],
    );
    assert.deepEqual(
      said.map((part) => "text" in part && part.text),
      [0, 1, 2].flatMap((n) => [`before ${n}`, `while away ${n}`]),
    );
    assert.deepEqual(resultOf(seen).parts, [{ text: "while away 2" }]);
    await reading.return();
    await server.close();
  });

  it("asks for the task when it ended meanwhile, and tells what it missed", async () => {
    const begun = Promise.withResolvers<ScriptedTurn>();
    const tasks = new ScriptedTasks({
      "kagent/works": (turn) => {
        begun.resolve(turn);
        return new Promise<void>(() => {});
      },
    });
    const server = await serveAgents(tasks);
    const reading = clientWith().call(call(server.url, "works"), never);
    const first = reading.next();
    const turn = await begun.promise;
    await first;
    turn.say("first");
    await reading.next();
    server.cut();
    turn.say("last words");
    turn.emit({ type: "status", state: "completed" });
    const rest = await readAll(reading);
    assert.deepEqual(rest, [
      {
        kind: "activity",
        author: "kagent/works",
        body: { type: "message", role: "agent", parts: [{ text: "last words" }] },
      },
      { kind: "result", state: "completed", parts: [{ text: "last words" }] },
    ]);
    await server.close();
  });

  it("fails when a stream ends without naming a task", async () => {
    const server = await byHand((_, response) => response.writeHead(200, EVENT_STREAM).end());
    await fails(readAll(clientWith().call(call(server.url, "x"), never)), "protocol", false);
    await server.close();
  });

  it("cancels the task when its stream turns out to be no A2A", async () => {
    const server = await byHand((method, response) => {
      if (method === "CancelTask") response.end("{}");
      else response.writeHead(200, EVENT_STREAM).end(`${event({ task: TASK })}data: {{{\n\n`);
    });
    await fails(readAll(clientWith().call(call(server.url, "x"), never)), "protocol", false);
    await until(() => server.methods.includes("CancelTask"));
    await server.close();
  });
});

describe("runtime/a2a/client when its caller gives up", () => {
  it("sends nothing when that was before the call", async () => {
    const reason = new Error("changed my mind");
    const updates = clientWith().call(call("http://127.0.0.1:9", "x"), AbortSignal.abort(reason));
    await assert.rejects(updates.next(), reason);
  });

  it("returns at once and cancels the task once", async () => {
    const tasks = new CountingTasks(STANDARD_AGENTS);
    const server = await serveAgents(tasks);
    const stop = new AbortController();
    const reason = new Error("enough");
    const updates = clientWith().call(call(server.url, "hangs"), stop.signal);
    const first = (await updates.next()).value;
    assert.ok(first?.kind === "task");
    const next = updates.next();
    stop.abort(reason);
    await assert.rejects(next, reason);
    await tasks.firstCancel.promise;
    assert.equal((await tasks.get(HANGS, first.taskId, ann)).state, "canceled");
    await until(() => tasks.readers === 0);
    assert.equal(tasks.cancelled, 1);
    await server.close();
  });

  it("cancels a task whose id it learns only afterwards", async () => {
    const named = Promise.withResolvers<ServerResponse>();
    const cancelled = Promise.withResolvers<undefined>();
    const server = await byHand((method, response) => {
      if (method === "CancelTask") {
        response.end("{}");
        cancelled.resolve(undefined);
      } else named.resolve(response);
    });
    const stop = new AbortController();
    const reason = new Error("enough");
    const next = clientWith().call(call(server.url, "x"), stop.signal).next();
    const response = await named.promise;
    stop.abort(reason);
    await assert.rejects(next, reason);
    response.writeHead(200, EVENT_STREAM).write(event({ task: TASK }));
    await cancelled.promise;
    assert.deepEqual(server.methods, ["SendStreamingMessage", "CancelTask"]);
    await server.close();
  });

  it("waits no longer than 2 s for the task's id, in the background", async () => {
    const clock = new FakeClock();
    const asked = Promise.withResolvers<ServerResponse>();
    const server = await byHand((_, response) => {
      asked.resolve(response);
    });
    const stop = new AbortController();
    const next = clientWith(clock).call(call(server.url, "x"), stop.signal).next();
    const response = await asked.promise;
    const closed = new Promise((resolve) => response.once("close", resolve));
    stop.abort(new Error("enough"));
    await assert.rejects(next, /enough/);
    await clock.advance(2_000);
    await closed;
    await until(() => clock.pending === 0);
    assert.deepEqual(server.methods, ["SendStreamingMessage"]);
    await server.close();
  });

  it("gives a server that does not answer the cancel 2 s, and says so in the log", async () => {
    const clock = new FakeClock();
    const { lines, log } = keptLog();
    const server = await byHand((method, response) => {
      if (method !== "CancelTask")
        response.writeHead(200, EVENT_STREAM).write(event({ task: TASK }));
    });
    const stop = new AbortController();
    const updates = clientWith(clock, log).call(call(server.url, "x"), stop.signal);
    await updates.next();
    const next = updates.next();
    stop.abort(new Error("enough"));
    await assert.rejects(next, /enough/);
    await until(() => server.methods.includes("CancelTask"));
    await clock.advance(2_000);
    await until(() => clock.pending === 0);
    assert.deepEqual(lines, ["agent could not be told to stop"]);
    await server.close();
  });
});
