import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { A2aClient, AgentCallError, type AgentUpdate } from "../../../runtime/a2a/client.ts";
import type {
  Caller,
  RunningTask,
  SendRequest,
  TaskService,
} from "../../../runtime/a2a/task-service.ts";
import type { EventBody, TurnUpdate } from "../../../runtime/api/events.ts";
import type { ObjectRef } from "../../../runtime/api/names.ts";
import { systemClock } from "../../../runtime/process/clock.ts";
import { silentLog } from "../../../runtime/telemetry/log.ts";
import { serveAgents, type TestServer } from "../../support/a2a-server.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { readAll } from "../../support/read-all.ts";
import { type Script, ScriptedTasks } from "../../support/scripted-tasks.ts";

const never = new AbortController().signal;
const HINT = "Tool 'delete_file' requires approval before execution.";

/** One of each kind of event, the silent ones too: no message of the history shows those. */
const EVENTS: readonly EventBody[] = [
  { type: "status", state: "working" },
  {
    type: "routing",
    outcome: "rule",
    rules: ["pods"],
    agents: ["kagent/works"],
    matched: { pods: ["pods"] },
    scores: { pods: 1 },
  },
  {
    type: "tool-call",
    callId: "1",
    name: "get",
    args: { a: 1 },
    target: { kind: "mcp", ref: "kagent/k8s" },
  },
  { type: "tool-intent", callId: "1", name: "get", argsHash: "00" },
  { type: "tool-result", callId: "1", name: "get", ok: true, parts: [{ text: "one" }], ms: 2 },
  { type: "message", role: "agent", parts: [{ text: "first" }] },
  { type: "compaction", fromSeq: 1, toSeq: 2, summary: "s" },
  { type: "handoff", agent: "kagent/git-agent", when: "output.x" },
  { type: "limit", limit: "maxToolCalls", value: 1 },
  { type: "message", role: "agent", parts: [{ text: "second" }] },
];
const ENDS: Readonly<Record<string, readonly EventBody[]>> = {
  completed: [{ type: "status", state: "completed" }],
  "input-required": [
    {
      type: "approval-requested",
      pending: [
        {
          confirmationId: "c",
          callId: "2",
          kind: "approval",
          name: "delete_file",
          args: {},
          hint: HINT,
        },
      ],
    },
    { type: "status", state: "input-required" },
  ],
};

/** Tasks whose streams are cut in front of the update whose turn it is. */
class CutTasks implements TaskService {
  server: TestServer | undefined;
  /** Resolved when the client knows its task: before that nothing can be joined again. */
  readonly named = Promise.withResolvers<undefined>();
  /** How many more updates pass before the connections are cut, stream by stream; absent: all of them. */
  readonly #passing: number[];
  readonly #tasks: TaskService;

  constructor(tasks: TaskService, passing: readonly number[]) {
    this.#tasks = tasks;
    this.#passing = [...passing];
  }

  async send(request: SendRequest, caller: Caller): Promise<RunningTask> {
    const running = await this.#tasks.send(request, caller);
    return { ...running, updates: this.#cutting(running.updates) };
  }

  async subscribe(agent: ObjectRef, taskId: string, caller: Caller) {
    const { task, updates } = await this.#tasks.subscribe(agent, taskId, caller);
    return { task, updates: this.#cutting(updates) };
  }

  get: TaskService["get"] = (...args) => this.#tasks.get(...args);
  list: TaskService["list"] = (...args) => this.#tasks.list(...args);
  cancel: TaskService["cancel"] = (...args) => this.#tasks.cancel(...args);

  async *#cutting(updates: AsyncIterable<TurnUpdate>): AsyncGenerator<TurnUpdate, void, undefined> {
    let left = this.#passing.shift() ?? Number.POSITIVE_INFINITY;
    for await (const update of updates) {
      if (left <= 0) {
        await this.named.promise;
        this.server?.cut();
        await new Promise<never>(() => {}); // nobody is there any more
      }
      left -= 1;
      yield update;
    }
  }
}

/** A turn that goes on by itself, an event every now and then. */
const script =
  (end: readonly EventBody[], pace: () => Promise<void>): Script =>
  async (turn) => {
    for (const body of [...EVENTS, ...end]) {
      await pace();
      turn.emit(body);
    }
  };

function told(updates: readonly AgentUpdate[]): readonly unknown[] {
  return updates
    .filter(({ kind }) => kind === "activity" || kind === "result")
    .map((update) => ({ ...update }));
}

async function run(end: readonly EventBody[], passing: number[]): Promise<readonly unknown[]> {
  const pace = () => new Promise<void>((resolve) => setImmediate(resolve));
  const scripted = new ScriptedTasks({ "kagent/works": script(end, pace) });
  const tasks = new CutTasks(scripted, passing);
  const server = await serveAgents(tasks);
  tasks.server = server;
  try {
    const client = new A2aClient({ clock: systemClock, log: silentLog, random: () => 0 });
    const url = `${server.url}/api/a2a/kagent/works/`;
    const updates: AgentUpdate[] = [];
    for await (const update of client.call({ url, parts: [{ text: "hi" }] }, never)) {
      updates.push(update);
      tasks.named.resolve(undefined);
    }
    return told(updates);
  } finally {
    await server.close();
  }
}

for (const [state, end] of Object.entries(ENDS)) {
  describe(`runtime/a2a/client whose stream is cut on the way to ${state}`, () => {
    const count = EVENTS.length + end.length + 1; // and the user's message
    for (let at = 0; at < count; at += 1) {
      it(`tells everything once, cut before update ${at}`, async () => {
        assert.deepEqual(await run(end, [at]), await run(end, []));
      });
    }

    it("tells everything once, cut before each update in turn", async () => {
      const whole = await run(end, []);
      assert.deepEqual(await run(end, new Array<number>(count).fill(1)), whole);
      assert.ok(whole.length >= EVENTS.length);
    });
  });
}

/** An agent behind `fetch` that answers by method, in the order given; the last answer is repeated. */
function scripted(answers: Readonly<Record<string, readonly (() => Response | Error)[]>>) {
  const asked: string[] = [];
  const left = new Map(Object.entries(answers).map(([method, list]) => [method, [...list]]));
  const fetch = (_: unknown, init?: RequestInit): Promise<Response> => {
    const body = init?.body;
    const { method, id } = JSON.parse(typeof body === "string" ? body : "") as {
      method: string;
      id: number;
    };
    asked.push(method);
    const list = left.get(method) ?? [];
    const answer = (list.length > 1 ? list.shift() : list[0])?.() ?? new Error("unexpected");
    if (answer instanceof Error) return Promise.reject(answer);
    return answer.text().then((text) => {
      const { status, headers } = answer;
      return new Response(text.replaceAll('"ID"', String(id)), { status, headers });
    });
  };
  return { asked, fetch: fetch as typeof globalThis.fetch };
}

const task = (state: string, history: readonly object[] = []) => ({
  id: "t",
  contextId: "c",
  status: { state },
  history,
});
const message = (seq: number, text: string) => ({
  messageId: `m${seq}`,
  role: "ROLE_AGENT",
  parts: [{ text }],
  metadata: { "kagent.dev/seq": seq },
});
const stream = (result: unknown) => () =>
  new Response(`data: ${JSON.stringify({ jsonrpc: "2.0", id: "ID", result })}\n\n`, {
    headers: { "content-type": "text/event-stream" },
  });
const json = (body: object) => () =>
  new Response(JSON.stringify({ jsonrpc: "2.0", id: "ID", ...body }), {
    headers: { "content-type": "application/json" },
  });
const refused = () =>
  new TypeError("fetch failed", {
    cause: Object.assign(new Error("refused"), { code: "ECONNREFUSED" }),
  });

describe("runtime/a2a/client without a stream to join", () => {
  async function outcome(fetch: typeof globalThis.fetch, clock = new FakeClock()) {
    const client = new A2aClient({ clock, log: silentLog, random: () => 0, fetch });
    const call = { url: "http://agent.example/", parts: [{ text: "hi" }] };
    const began = clock.now();
    const state = { over: false };
    const reading = readAll(client.call(call, never))
      .then(
        (updates) => ({ updates, error: undefined }),
        (error: unknown) => ({ updates: [], error }),
      )
      .finally(() => {
        state.over = true;
      });
    while (!state.over) await clock.advance(100);
    return { ...(await reading), ms: clock.now() - began };
  }

  for (const code of [-32601, -32004]) {
    it(`asks for the task every 2 s where joining is refused with ${code}`, async () => {
      const { asked, fetch } = scripted({
        SendStreamingMessage: [stream({ task: task("TASK_STATE_WORKING") })],
        SubscribeToTask: [json({ error: { code, message: "no" } })],
        GetTask: [
          json({ result: task("TASK_STATE_WORKING", [message(1, "one")]) }),
          refused,
          json({ result: task("TASK_STATE_WORKING", [message(1, "one"), message(2, "two")]) }),
          json({
            result: task("TASK_STATE_COMPLETED", [message(1, "one"), message(2, "two")]),
          }),
        ],
      });
      const { updates, ms } = await outcome(fetch);
      assert.deepEqual(
        updates.flatMap((update) =>
          update.kind === "activity" && update.body.type === "message" ? update.body.parts : [],
        ),
        [{ text: "one" }, { text: "two" }],
      );
      assert.equal(updates.at(-1)?.kind, "result");
      assert.deepEqual(asked, [
        "SendStreamingMessage",
        "SubscribeToTask",
        ...new Array<string>(4).fill("GetTask"),
      ]);
      assert.ok(ms >= 6_000 && ms < 7_000, String(ms));
    });
  }

  it("fails when the agent does not know the task any more", async () => {
    const gone = json({ error: { code: -32001, message: "no task" } });
    const { asked, fetch } = scripted({
      SendStreamingMessage: [stream({ task: task("TASK_STATE_WORKING") })],
      SubscribeToTask: [gone],
      GetTask: [gone],
      CancelTask: [gone],
    });
    const { error } = await outcome(fetch);
    assert.ok(error instanceof AgentCallError);
    assert.equal(error.code, "not-found");
    assert.equal(asked.filter((method) => method === "GetTask").length, 1);
  });

  it("waits longer and longer for an agent that is away, and gives up after 45 s", async () => {
    const { asked, fetch } = scripted({
      SendStreamingMessage: [stream({ task: task("TASK_STATE_WORKING") })],
      SubscribeToTask: [refused],
      GetTask: [refused],
      CancelTask: [refused],
    });
    const { error, ms } = await outcome(fetch);
    assert.ok(error instanceof AgentCallError);
    assert.equal(error.code, "unreachable");
    const tries = asked.filter((method) => method === "SubscribeToTask").length;
    assert.ok(tries >= 8 && tries <= 16, String(tries));
    assert.ok(ms >= 20_000 && ms <= 50_000, String(ms));
  });

  it("goes on where it was when the agent comes back after 20 s", async () => {
    const clock = new FakeClock();
    const { fetch } = scripted({
      SendStreamingMessage: [stream({ task: task("TASK_STATE_WORKING") })],
      SubscribeToTask: [
        () => {
          if (clock.now() < Date.UTC(2026, 0, 1) + 20_000) return refused();
          return stream({ task: task("TASK_STATE_COMPLETED", [message(3, "three")]) })();
        },
      ],
    });
    const { updates } = await outcome(fetch, clock);
    assert.deepEqual(
      updates.map(({ kind }) => kind),
      ["task", "activity", "result"],
    );
  });
});
