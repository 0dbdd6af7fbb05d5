import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "mocha";
import {
  type Caller,
  type SendRequest,
  TaskError,
  type TaskErrorCode,
  type TaskService,
} from "../../../runtime/a2a/task-service.ts";
import type { Event, Part, TurnUpdate } from "../../../runtime/api/events.ts";
import type { ObjectRef } from "../../../runtime/api/names.ts";
import { readAll } from "../../support/read-all.ts";

/** A TaskService with agents whose behaviour the suite knows. */
export interface TaskServiceSubject {
  readonly tasks: TaskService;
  /** Answers every message with some text and completes. */
  readonly answers: ObjectRef;
  /** Works until it is cancelled. */
  readonly hangs: ObjectRef;
  /** Asks people for approval or an answer, and completes once it has it. */
  readonly asks: ObjectRef;
  /** What `asks` wants to hear. */
  readonly consent: readonly Part[];
  /** Fails with an error of its model. */
  readonly fails: ObjectRef;
  close(): Promise<void>;
}

const ann: Caller = { user: "ann", headers: {} };
const bob: Caller = { user: "bob", headers: {} };

function ask(agent: ObjectRef, more: Partial<SendRequest> = {}): SendRequest {
  return { agent, messageId: randomUUID(), parts: [{ text: "hello" }], metadata: {}, ...more };
}

async function eventsOf(updates: AsyncIterable<TurnUpdate>): Promise<Event[]> {
  const all = await readAll(updates);
  return all.flatMap((update) => (update.kind === "event" ? [update.event] : []));
}

async function refused(work: Promise<unknown>, code: TaskErrorCode): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof TaskError, String(error));
    assert.equal(error.code, code);
    return true;
  });
}

/** What every TaskService keeps. */
export function taskServiceContract(name: string, open: () => Promise<TaskServiceSubject>): void {
  const using = (work: (subject: TaskServiceSubject) => Promise<void>) => async () => {
    const subject = await open();
    try {
      await work(subject);
    } finally {
      await subject.close();
    }
  };

  describe(`${name} as TaskService`, () => {
    it(
      "has the user's message stored when send resolves",
      using(async ({ tasks, hangs }) => {
        const { taskId } = await tasks.send(ask(hangs, { parts: [{ text: "first" }] }), ann);
        const { events } = await tasks.get(hangs, taskId, ann);
        const body = { type: "message", role: "user", parts: [{ text: "first" }] };
        assert.deepEqual(events[0]?.body, body);
        assert.equal(events[0].author, "user");
      }),
    );

    it(
      "tells every stored event once, in order, and ends with the final status",
      using(async ({ tasks, answers }) => {
        const { taskId, contextId, updates } = await tasks.send(ask(answers), ann);
        const told = await eventsOf(updates);
        const view = await tasks.get(answers, taskId, ann);
        assert.deepEqual(told, view.events);
        assert.equal(view.state, "completed");
        assert.equal(view.contextId, contextId);
        assert.deepEqual(view.agent, answers);
        const last = told.at(-1)?.body;
        assert.ok(last?.type === "status" && last.state === "completed");
        assert.ok(told.some(({ body }) => body.type === "message" && body.role === "agent"));
        for (const [index, event] of told.entries()) {
          assert.equal(event.taskId, taskId);
          assert.equal(event.contextId, contextId);
          assert.equal(event.seq, index + 1);
        }
      }),
    );

    it(
      "goes on with a task whose reader left after the first update",
      using(async ({ tasks, answers }) => {
        const { taskId, updates } = await tasks.send(ask(answers), ann);
        const reader = updates[Symbol.asyncIterator]();
        await reader.next();
        await reader.return?.();
        const { updates: rest } = await tasks.subscribe(answers, taskId, ann);
        await readAll(rest);
        assert.equal((await tasks.get(answers, taskId, ann)).state, "completed");
      }),
    );

    it(
      "goes on with a task whose updates nobody reads",
      using(async ({ tasks, answers }) => {
        const { taskId } = await tasks.send(ask(answers), ann);
        const { updates } = await tasks.subscribe(answers, taskId, ann);
        await readAll(updates);
        assert.equal((await tasks.get(answers, taskId, ann)).state, "completed");
      }),
    );

    it(
      "misses no event between the task as it is and the updates of a subscription",
      using(async ({ tasks, hangs }) => {
        const { taskId } = await tasks.send(ask(hangs), ann);
        const { task, updates } = await tasks.subscribe(hangs, taskId, ann);
        const reading = eventsOf(updates);
        await tasks.cancel(hangs, taskId, ann);
        const seen = [...task.events, ...(await reading)];
        assert.deepEqual(seen, (await tasks.get(hangs, taskId, ann)).events);
      }),
    );

    it(
      "has nothing to tell of a task that is over",
      using(async ({ tasks, answers }) => {
        const { taskId, updates } = await tasks.send(ask(answers), ann);
        await readAll(updates);
        const late = await tasks.subscribe(answers, taskId, ann);
        assert.equal(late.task.state, "completed");
        assert.deepEqual(await readAll(late.updates), []);
      }),
    );

    it(
      "has the final state stored when cancel resolves, and tells it to readers",
      using(async ({ tasks, hangs }) => {
        const { taskId, updates } = await tasks.send(ask(hangs), ann);
        const reading = eventsOf(updates);
        assert.equal((await tasks.cancel(hangs, taskId, ann)).state, "canceled");
        assert.equal((await tasks.get(hangs, taskId, ann)).state, "canceled");
        const last = (await reading).at(-1)?.body;
        assert.ok(last?.type === "status" && last.state === "canceled");
      }),
    );

    it(
      "does not cancel what is over",
      using(async ({ tasks, answers, hangs }) => {
        const done = await tasks.send(ask(answers), ann);
        await readAll(done.updates);
        await refused(tasks.cancel(answers, done.taskId, ann), "not-cancelable");
        const { taskId } = await tasks.send(ask(hangs), ann);
        await tasks.cancel(hangs, taskId, ann);
        await refused(tasks.cancel(hangs, taskId, ann), "not-cancelable");
      }),
    );

    it(
      "ends a failing task with its error",
      using(async ({ tasks, fails }) => {
        const { taskId, updates } = await tasks.send(ask(fails), ann);
        await readAll(updates);
        const view = await tasks.get(fails, taskId, ann);
        assert.equal(view.state, "failed");
        assert.ok(view.error !== undefined && view.error.message !== "");
      }),
    );

    it(
      "continues a task that waits for input, under the same ids",
      using(async ({ tasks, asks, consent }) => {
        const first = await tasks.send(ask(asks), ann);
        const asked = await eventsOf(first.updates);
        assert.equal((await tasks.get(asks, first.taskId, ann)).state, "input-required");
        assert.ok(asked.some(({ body }) => body.type === "approval-requested"));
        const { taskId } = first;
        const second = await tasks.send(ask(asks, { taskId, parts: consent }), ann);
        assert.equal(second.taskId, taskId);
        assert.equal(second.contextId, first.contextId);
        const rest = await eventsOf(second.updates);
        const view = await tasks.get(asks, taskId, ann);
        assert.equal(view.state, "completed");
        assert.deepEqual([...asked, ...rest], view.events);
      }),
    );

    it(
      "cancels a task that waits for input",
      using(async ({ tasks, asks }) => {
        const { taskId, updates } = await tasks.send(ask(asks), ann);
        await readAll(updates);
        assert.equal((await tasks.cancel(asks, taskId, ann)).state, "canceled");
      }),
    );

    it(
      "takes no message for a task that is over, of another context or unknown",
      using(async ({ tasks, answers, asks }) => {
        const done = await tasks.send(ask(answers), ann);
        await readAll(done.updates);
        const { taskId } = done;
        await refused(tasks.send(ask(answers, { taskId }), ann), "not-expecting-input");
        const waiting = await tasks.send(ask(asks), ann);
        await readAll(waiting.updates);
        const elsewhere = { taskId: waiting.taskId, contextId: done.contextId };
        await refused(tasks.send(ask(asks, elsewhere), ann), "invalid");
        await refused(tasks.send(ask(asks, { taskId: "none" }), ann), "task-not-found");
      }),
    );

    it(
      "starts a session under an id that nobody has, and continues it",
      using(async ({ tasks, answers }) => {
        const contextId = randomUUID();
        const first = await tasks.send(ask(answers, { contextId }), ann);
        await readAll(first.updates);
        const second = await tasks.send(ask(answers, { contextId }), ann);
        const events = await eventsOf(second.updates);
        assert.equal(first.contextId, contextId);
        assert.equal(second.contextId, contextId);
        assert.notEqual(second.taskId, first.taskId);
        const before = await tasks.get(answers, first.taskId, ann);
        assert.equal(events[0]?.seq, (before.events.at(-1)?.seq ?? 0) + 1);
      }),
    );

    it(
      "shows nobody else's tasks and sessions",
      using(async ({ tasks, answers, hangs }) => {
        const { taskId, contextId } = await tasks.send(ask(hangs), ann);
        await refused(tasks.get(hangs, taskId, bob), "task-not-found");
        await refused(tasks.cancel(hangs, taskId, bob), "task-not-found");
        await refused(tasks.subscribe(hangs, taskId, bob), "task-not-found");
        await refused(tasks.get(answers, taskId, ann), "task-not-found");
        await refused(tasks.send(ask(hangs, { contextId }), bob), "context-not-found");
        const page = await tasks.list({ agent: hangs, pageSize: 10 }, bob);
        assert.deepEqual(page, { tasks: [], total: 0 });
        assert.equal((await tasks.get(hangs, taskId, ann)).id, taskId);
      }),
    );

    it(
      "lists newest first, page by page, by context and by state",
      using(async ({ tasks, answers, hangs }) => {
        const ids: string[] = [];
        for (let n = 0; n < 5; n += 1) {
          const { taskId, updates } = await tasks.send(ask(answers), ann);
          await readAll(updates);
          ids.unshift(taskId);
        }
        const seen: string[] = [];
        let pageToken: string | undefined;
        do {
          const more = pageToken === undefined ? {} : { pageToken };
          const page = await tasks.list({ agent: answers, pageSize: 2, ...more }, ann);
          assert.equal(page.total, 5);
          assert.ok(page.tasks.length <= 2);
          seen.push(...page.tasks.map(({ id }) => id));
          pageToken = page.nextPageToken;
        } while (pageToken !== undefined);
        assert.deepEqual(seen, ids);

        const { taskId, contextId } = await tasks.send(ask(hangs), ann);
        await tasks.send(ask(hangs), ann);
        const inContext = await tasks.list({ agent: hangs, contextId, pageSize: 10 }, ann);
        assert.deepEqual(
          inContext.tasks.map(({ id }) => id),
          [taskId],
        );
        await tasks.cancel(hangs, taskId, ann);
        const state = "canceled";
        const cancelled = await tasks.list({ agent: hangs, state, pageSize: 10 }, ann);
        assert.deepEqual(
          cancelled.tasks.map(({ id }) => id),
          [taskId],
        );
        const token = { agent: answers, pageSize: 2, pageToken: "nonsense" };
        await refused(tasks.list(token, ann), "invalid");
      }),
    );

    it(
      "names an agent it does not run",
      using(async ({ tasks }) => {
        const nobody = { namespace: "kagent", name: "nobody" };
        await refused(tasks.send(ask(nobody), ann), "agent-not-found");
      }),
    );

    it(
      "hands out copies: changing what was read changes nothing stored",
      using(async ({ tasks, answers }) => {
        const { taskId, updates } = await tasks.send(ask(answers), ann);
        await readAll(updates);
        const before = structuredClone(await tasks.get(answers, taskId, ann));
        const read = await tasks.get(answers, taskId, ann);
        (read.events as Event[]).length = 1;
        const body = read.events[0]?.body;
        assert.ok(body?.type === "message");
        body.parts.push({ text: "forged" });
        assert.deepEqual(await tasks.get(answers, taskId, ann), before);
      }),
    );
  });
}
