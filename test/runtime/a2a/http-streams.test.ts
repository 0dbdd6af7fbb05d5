import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { TaskService } from "../../../runtime/a2a/task-service.ts";
import type { TurnUpdate } from "../../../runtime/api/events.ts";
import { readSse, serveAgents } from "../../support/a2a-server.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { readAll } from "../../support/read-all.ts";
import { ScriptedTasks, type ScriptedTurn } from "../../support/scripted-tasks.ts";
import { agent, STANDARD_AGENTS } from "../../support/standard-agents.ts";

type Json = Record<string, unknown>;

const ann = { user: "ann", headers: {} };
const MESSAGE = { messageId: "m", role: "ROLE_USER", parts: [{ text: "hi" }] };

function rpc(url: string, method: string, params: unknown, signal?: AbortSignal) {
  return fetch(`${url}/api/a2a/kagent/answers/`, {
    method: "POST",
    headers: { "content-type": "application/json", "a2a-version": "1.0" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }),
    ...(signal === undefined ? {} : { signal }),
  });
}

/** An agent that does what the test says, when it says so. */
function puppet() {
  const begun = Promise.withResolvers<ScriptedTurn>();
  const over = Promise.withResolvers<undefined>();
  const tasks = new ScriptedTasks({
    "kagent/answers": async (turn) => {
      begun.resolve(turn);
      await over.promise;
    },
  });
  const finish = (): void => {
    over.resolve(undefined);
  };
  return { tasks, turn: begun.promise, finish };
}

/** Answers `send` with updates of the test's making. */
function tasksWith(updates: AsyncIterable<TurnUpdate>): TaskService {
  const none = () => Promise.reject(new Error("not in this test"));
  return {
    send: async () => ({ taskId: "t", contextId: "c", updates }),
    get: none,
    list: none,
    cancel: none,
    subscribe: none,
  };
}

/** Resolves once `holds` does, looked at after every turn of the event loop. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}

describe("runtime/a2a/http streams", () => {
  it("sends each update as soon as there is one", async () => {
    const { tasks, turn, finish } = puppet();
    const server = await serveAgents(tasks);
    const events = readSse(await rpc(server.url, "SendStreamingMessage", { message: MESSAGE }));
    const agentSide = await turn;
    await events.next(); // the task
    await events.next(); // working
    for (const text of ["one", "two"]) {
      agentSide.partial(text);
      const { value } = await events.next();
      const { result } = value?.data as { result: { statusUpdate: { status: Json } } };
      const { parts } = result.statusUpdate.status["message"] as Json;
      assert.deepEqual(parts, [{ text }]);
    }
    finish();
    await readAll(events);
    await server.close();
  });

  it("sends a comment every 15 s while there is nothing to tell, and no timer stays", async () => {
    const { tasks, turn, finish } = puppet();
    const clock = new FakeClock();
    const server = await serveAgents(tasks, { clock });
    const events = readSse(await rpc(server.url, "SendStreamingMessage", { message: MESSAGE }));
    await turn;
    await events.next();
    await events.next();
    for (let n = 0; n < 3; n += 1) {
      const next = events.next();
      await clock.advance(15_000);
      assert.equal((await next).value?.event, "comment");
    }
    finish();
    await readAll(events);
    await until(() => clock.pending === 0);
    await server.close();
  });

  it("leaves the task running when the client goes away, and stops reading it", async () => {
    const { tasks, turn, finish } = puppet();
    const server = await serveAgents(tasks);
    const gone = new AbortController();
    const response = await rpc(
      server.url,
      "SendStreamingMessage",
      { message: MESSAGE },
      gone.signal,
    );
    const { taskId } = await turn;
    const events = readSse(response);
    await events.next();
    gone.abort();
    await until(() => tasks.readers === 0);
    assert.equal((await tasks.get(agent("answers"), taskId, ann)).state, "working");
    finish();
    await until(() => server.open() === 0);
    assert.equal((await tasks.get(agent("answers"), taskId, ann)).state, "completed");
    await server.close();
  });

  it("leaves the task running when a client that waits for its end goes away", async () => {
    const { tasks, turn, finish } = puppet();
    const server = await serveAgents(tasks);
    const gone = new AbortController();
    const waiting = rpc(server.url, "SendMessage", { message: MESSAGE }, gone.signal);
    const { taskId } = await turn;
    gone.abort();
    await assert.rejects(waiting);
    await until(() => tasks.readers === 0);
    assert.equal((await tasks.get(agent("answers"), taskId, ann)).state, "working");
    finish();
    await server.close();
  });

  it("asks for no more updates than a slow client takes, and leaves them with it", async () => {
    let made = 0;
    const left = Promise.withResolvers<undefined>();
    async function* endless(): AsyncGenerator<TurnUpdate, void, undefined> {
      try {
        for (;;) {
          made += 1;
          yield { kind: "partial", text: "x".repeat(10_000), thought: false };
          await new Promise((resolve) => setImmediate(resolve));
        }
      } finally {
        left.resolve(undefined);
      }
    }
    const server = await serveAgents(tasksWith(endless()));
    const gone = new AbortController();
    await rpc(server.url, "SendStreamingMessage", { message: MESSAGE }, gone.signal);
    let before = -1;
    for (let calm = 0; calm < 200; calm = made === before ? calm + 1 : 0) {
      before = made;
      await new Promise((resolve) => setImmediate(resolve));
    }
    assert.ok(made < 2_000, `${made} updates of 10 kB are on their way`);
    gone.abort();
    await left.promise;
    await until(() => server.open() === 0);
    await server.close();
  });

  it("ends a stream that fails in the middle with an error event", async () => {
    async function* failing(): AsyncGenerator<TurnUpdate, void, undefined> {
      yield { kind: "partial", text: "half", thought: false };
      throw new Error("password=hunter2");
    }
    const server = await serveAgents(tasksWith(failing()));
    const response = await rpc(server.url, "SendStreamingMessage", { message: MESSAGE });
    const last = (await readAll(readSse(response))).at(-1);
    assert.equal(last?.event, "error");
    const { error, id } = last.data as { id: unknown; error: Json };
    assert.equal(id, 1);
    assert.equal(error["code"], -32603);
    assert.equal(error["message"], "internal error");
    await server.close();
  });

  it("just ends when the updates end early: the client may join again", async () => {
    async function* cut(): AsyncGenerator<TurnUpdate, void, undefined> {
      yield { kind: "partial", text: "half", thought: false };
    }
    const server = await serveAgents(tasksWith(cut()));
    const response = await rpc(server.url, "SendStreamingMessage", { message: MESSAGE });
    const events = await readAll(readSse(response));
    assert.deepEqual(
      events.map(({ event }) => event),
      ["message", "message"],
    );
    await server.close();
  });

  it("serves 200 streams at once and closes every socket", async () => {
    const tasks = new ScriptedTasks(STANDARD_AGENTS);
    const server = await serveAgents(tasks);
    const streams = Array.from({ length: 200 }, async () => {
      const response = await rpc(server.url, "SendStreamingMessage", { message: MESSAGE });
      return (await readAll(readSse(response))).length;
    });
    const counts = new Set(await Promise.all(streams));
    assert.deepEqual([...counts], [8]); // task, working, 3 partial, message, artifact, completed
    assert.equal(tasks.readers, 0);
    await server.close();
    await server.settled(0);
  });
});
