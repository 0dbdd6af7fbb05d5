import assert from "node:assert/strict";
import { afterEach, describe, it } from "mocha";
import type { Caller, RunningTask, TaskView } from "../../../runtime/a2a/task-service.ts";
import type { AgentConfig } from "../../../runtime/api/agent-config.ts";
import { type TurnUpdate, textOf } from "../../../runtime/api/events.ts";
import { refKey } from "../../../runtime/api/names.ts";
import { systemClock } from "../../../runtime/process/clock.ts";
import { openStore, type Store } from "../../../runtime/store/open-store.ts";
import { silentLog } from "../../../runtime/telemetry/log.ts";
import { Tasks } from "../../../runtime/worker/tasks.ts";
import type { TurnDeps } from "../../../runtime/worker/turn-context.ts";
import { agentConfig, serverUse } from "../../support/agent-config.ts";
import { ScriptedModel } from "../../support/scripted-model.ts";
import { Outside } from "./turn-harness.ts";

const agent = { namespace: "kagent", name: "tester" };
const ana: Caller = { user: "ana", headers: {} };
const ben: Caller = { user: "ben", headers: {} };
const text = (words: string) => ({ agent, messageId: "m", parts: [{ text: words }], metadata: {} });

let ids = 0;
const opened: { readonly tasks: Tasks; readonly store: Store }[] = [];

async function open(
  model: ScriptedModel,
  config: AgentConfig = agentConfig(),
  over: Partial<TurnDeps> = {},
  store?: Store,
): Promise<{ tasks: Tasks; store: Store }> {
  const kept = store ?? (await openStore({ path: ":memory:" }));
  const tasks = new Tasks({
    ...new Outside().deps(model),
    clock: systemClock,
    newId: () => `id-${++ids}`,
    sessions: kept.sessions,
    config: (ref) => (refKey(ref) === refKey(config.ref) ? config : undefined),
    log: silentLog,
    ...over,
  });
  opened.push({ tasks, store: kept });
  return { tasks, store: kept };
}

async function drain(updates: AsyncIterable<TurnUpdate>): Promise<readonly TurnUpdate[]> {
  const all: TurnUpdate[] = [];
  for await (const update of updates) all.push(update);
  return all;
}
const states = (updates: readonly TurnUpdate[]): string[] =>
  updates.flatMap((u) =>
    u.kind === "event" && u.event.body.type === "status" ? [u.event.body.state] : [],
  );
const answerOf = (task: TaskView): string => {
  const body = task.events.findLast(
    (e) => e.body.type === "message" && e.body.role === "agent",
  )?.body;
  return body?.type === "message" ? textOf(body.parts) : "";
};

describe("runtime/worker/Tasks", () => {
  afterEach(async () => {
    for (const { tasks, store } of opened.splice(0)) {
      await tasks.close();
      await store.close();
    }
  });

  it("tells what happens from the user's message to the end, and remembers it", async () => {
    const { tasks } = await open(new ScriptedModel({ text: "fine" }));
    const running = await tasks.send(text("how?"), ana);
    const updates = await drain(running.updates);
    assert.deepEqual(states(updates), ["working", "completed"]);
    const seqs = updates.flatMap((u) => (u.kind === "event" ? [u.event.seq] : []));
    assert.deepEqual(seqs, [1, 2, 3, 4]);
    const task = await tasks.get(agent, running.taskId, ana);
    assert.equal(task.state, "completed");
    assert.equal(answerOf(task), "fine");
    assert.equal(task.usage?.modelCalls, 1);
  });

  it("goes on when nobody listens", async () => {
    const { tasks } = await open(new ScriptedModel({ text: "fine" }));
    const running = await tasks.send(text("how?"), ana);
    for await (const update of running.updates) {
      assert.equal(update.kind, "event");
      break;
    }
    const { updates } = await tasks.subscribe(agent, running.taskId, ana);
    await drain(updates);
    assert.equal((await tasks.get(agent, running.taskId, ana)).state, "completed");
  });

  it("shows other people nothing", async () => {
    const { tasks } = await open(new ScriptedModel({ text: "fine" }));
    const running = await tasks.send(text("how?"), ana);
    await drain(running.updates);
    await assert.rejects(tasks.get(agent, running.taskId, ben), { code: "task-not-found" });
    await assert.rejects(tasks.cancel(agent, running.taskId, ben), { code: "task-not-found" });
    await assert.rejects(tasks.subscribe(agent, running.taskId, ben), { code: "task-not-found" });
    await assert.rejects(tasks.send({ ...text("x"), contextId: running.contextId }, ben), {
      code: "context-not-found",
    });
    assert.equal((await tasks.list({ agent, pageSize: 50 }, ben)).total, 0);
  });

  it("does not know an agent that is not there", async () => {
    const { tasks } = await open(new ScriptedModel());
    await assert.rejects(
      tasks.send({ ...text("x"), agent: { namespace: "kagent", name: "nobody" } }, ana),
      { code: "agent-not-found" },
    );
  });

  it("cancels a turn that hangs in the model, and says so in the store", async () => {
    const { tasks } = await open(new ScriptedModel("hang"));
    const running = await tasks.send(text("x"), ana);
    const updates = drain(running.updates);
    const task = await tasks.cancel(agent, running.taskId, ana);
    assert.equal(task.state, "canceled");
    assert.deepEqual(states(await updates).at(-1), "canceled");
    await assert.rejects(tasks.cancel(agent, running.taskId, ana), { code: "not-cancelable" });
  });

  it("cancels within the grace also when a tool ignores it, and drops what comes later", async () => {
    const late = Promise.withResolvers<{ ok: boolean; parts: { text: string }[] }>();
    const started = Promise.withResolvers<undefined>();
    const outside = Object.assign(new Outside(), {
      tools: ["deaf"],
      answer: () => {
        started.resolve(undefined);
        return late.promise;
      },
    });
    const model = new ScriptedModel({ calls: [["deaf", {}]] }, { text: "never" });
    const { tools } = outside.deps(model);
    const { tasks } = await open(model, agentConfig({ toolServers: [serverUse()] }), { tools });
    const running = await tasks.send(text("x"), ana);
    await started.promise;
    const task = await tasks.cancel(agent, running.taskId, ana);
    assert.equal(task.state, "canceled");
    late.resolve({ ok: true, parts: [{ text: "late" }] });
    await new Promise(setImmediate);
    assert.doesNotMatch(JSON.stringify(await tasks.get(agent, running.taskId, ana)), /late/);
  });

  it("runs the turns of one session one after the other, those of two side by side", async () => {
    const model = new ScriptedModel("hang", { text: "other" }, { text: "second" });
    const { tasks } = await open(model);
    const first = await tasks.send({ ...text("1"), contextId: "one" }, ana);
    const firstEnds = drain(first.updates);
    await new Promise(setImmediate);
    const second = await tasks.send({ ...text("2"), contextId: "one" }, ana);
    const other = await tasks.send({ ...text("3"), contextId: "two" }, ana);
    await drain(other.updates);
    assert.equal((await tasks.get(agent, second.taskId, ana)).state, "submitted");
    await tasks.cancel(agent, first.taskId, ana);
    await firstEnds;
    await drain(second.updates);
    assert.equal((await tasks.get(agent, second.taskId, ana)).state, "completed");
  });

  it("cancels a turn that waits for its session", async () => {
    const { tasks } = await open(new ScriptedModel("hang"));
    const first = await tasks.send({ ...text("1"), contextId: "one" }, ana);
    const second = await tasks.send({ ...text("2"), contextId: "one" }, ana);
    const cancelling = tasks.cancel(agent, second.taskId, ana);
    await tasks.cancel(agent, first.taskId, ana);
    assert.equal((await cancelling).state, "canceled");
  });

  it("gives a late subscriber everything, nothing twice", async () => {
    const gate = Promise.withResolvers<{ ok: boolean; parts: never[] }>();
    const asked = Promise.withResolvers<undefined>();
    const outside = Object.assign(new Outside(), {
      tools: ["slow"],
      answer: () => {
        asked.resolve(undefined);
        return gate.promise;
      },
    });
    const model = new ScriptedModel({ calls: [["slow", {}]] }, { text: "done" });
    const { tools } = outside.deps(model);
    const { tasks } = await open(model, agentConfig({ toolServers: [serverUse()] }), { tools });
    const running: RunningTask = await tasks.send(text("x"), ana);
    await asked.promise;
    const joined = await tasks.subscribe(agent, running.taskId, ana);
    const rest = drain(joined.updates);
    gate.resolve({ ok: true, parts: [] });
    const seqs = [
      ...joined.task.events.map(({ seq }) => seq),
      ...(await rest).flatMap((u) => (u.kind === "event" ? [u.event.seq] : [])),
    ];
    assert.deepEqual(
      seqs,
      Array.from({ length: seqs.length }, (_, i) => i + 1),
    );
    assert.equal((await tasks.get(agent, running.taskId, ana)).events.length, seqs.length);
  });

  it("answers a question in the task that asked it, and takes no answer elsewhere", async () => {
    const model = new ScriptedModel(
      { calls: [["ask_user", { questions: [{ question: "Which?" }] }]] },
      { text: "thanks" },
    );
    const { tasks } = await open(model);
    const running = await tasks.send(text("x"), ana);
    assert.deepEqual(states(await drain(running.updates)), ["working", "input-required"]);
    await assert.rejects(
      tasks.send({ ...text("a"), taskId: running.taskId, contextId: "elsewhere" }, ana),
      { code: "invalid" },
    );
    const again = await tasks.send({ ...text("this one"), taskId: running.taskId }, ana);
    assert.equal(again.contextId, running.contextId);
    await drain(again.updates);
    assert.equal(answerOf(await tasks.get(agent, running.taskId, ana)), "thanks");
    await assert.rejects(tasks.send({ ...text("more"), taskId: running.taskId }, ana), {
      code: "not-expecting-input",
    });
  });

  it("cancels a task that waits for people", async () => {
    const model = new ScriptedModel({
      calls: [["ask_user", { questions: [{ question: "Which?" }] }]],
    });
    const { tasks } = await open(model);
    const running = await tasks.send(text("x"), ana);
    await drain(running.updates);
    assert.equal((await tasks.cancel(agent, running.taskId, ana)).state, "canceled");
  });

  it("marks what a worker before it left open as failed", async () => {
    const store = await openStore({ path: ":memory:" });
    await store.sessions.ensureSession({
      id: "c",
      agent,
      user: "ana",
      name: "",
      source: "user",
      rootContextId: "c",
    });
    await store.sessions.createTask({ id: "t", contextId: "c", agent, user: "ana" });
    const { tasks } = await open(new ScriptedModel(), agentConfig(), {}, store);
    assert.equal(await tasks.recover(), 1);
    const task = await tasks.get(agent, "t", ana);
    assert.equal(task.state, "failed");
    assert.equal(task.error?.code, "WORKER_LOST");
  });

  it("ends what is under way when it closes, and takes nothing more", async () => {
    const { tasks } = await open(new ScriptedModel("hang"));
    const running = await tasks.send(text("x"), ana);
    const ended = drain(running.updates);
    await tasks.close();
    await ended;
    const task = await tasks.get(agent, running.taskId, ana);
    assert.equal(task.error?.code, "WORKER_LOST");
    await assert.rejects(tasks.send(text("y"), ana), { code: "busy" });
  });
});
