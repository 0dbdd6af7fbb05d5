import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { EventBody, NewEvent, TaskState } from "../../../runtime/api/events.ts";
import {
  type NewSession,
  OwnerMismatchError,
  type SessionStore,
  TaskOverError,
  UnknownIdError,
} from "../../../runtime/store/session-store.ts";
import type { StoreDeps } from "../../../runtime/store/sessions.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** Opens an empty store. */
export type OpenSessions = (deps: StoreDeps) => Promise<SessionStore>;

const AGENT = { namespace: "kagent", name: "cluster-agent" };
const OTHER_AGENT = { namespace: "kagent", name: "git-agent" };
const USAGE = { inputTokens: 7, outputTokens: 3, cachedTokens: 0, modelCalls: 1, toolCalls: 2 };
const LOST = { code: "WORKER_LOST", message: "the worker is gone" } as const;

function session(id: string, changes: Partial<NewSession> = {}): NewSession {
  return {
    id,
    agent: AGENT,
    user: "ann",
    name: "which pods fail?",
    source: "user",
    rootContextId: id,
    ...changes,
  };
}

let ids = 0;
function event(contextId: string, taskId: string, body: EventBody): NewEvent {
  ids += 1;
  const time = "2026-01-01T00:00:00.000Z";
  return { id: `event-${ids}`, time, contextId, taskId, author: "kagent/cluster-agent", body };
}

function said(contextId: string, taskId: string, text: string): NewEvent {
  return event(contextId, taskId, { type: "message", role: "agent", parts: [{ text }] });
}

function status(contextId: string, taskId: string, state: TaskState): NewEvent {
  return event(contextId, taskId, { type: "status", state });
}

/** What every SessionStore keeps. */
export function sessionStoreContract(name: string, open: OpenSessions): void {
  /** Runs a test on a store of its own. */
  function on(
    claim: string,
    test: (store: SessionStore, clock: FakeClock) => Promise<void>,
  ): Mocha.Test {
    return it(claim, async () => {
      const clock = new FakeClock();
      let made = 0;
      const store = await open({ clock, newId: () => `made-${++made}` });
      try {
        await test(store, clock);
      } finally {
        await store.close();
      }
    });
  }

  /** A session with one task, both of ann. */
  async function begun(store: SessionStore, contextId = "c", taskId = "t"): Promise<void> {
    await store.ensureSession(session(contextId));
    await store.createTask({ id: taskId, contextId, agent: AGENT, user: "ann" });
  }

  async function textsOf(store: SessionStore, contextId: string): Promise<readonly unknown[]> {
    const events = await store.events(contextId, "ann");
    return events.map(({ seq, body }) => [
      seq,
      body.type === "message" && "text" in body.parts[0]! ? body.parts[0].text : body.type,
    ]);
  }

  describe(`${name} as SessionStore: sessions`, () => {
    on("creates a session with the times of its clock", async (store, clock) => {
      const made = await store.ensureSession(session("c", { parentContextId: "p" }));
      const time = new Date(clock.now()).toISOString();
      assert.deepEqual(made, {
        ...session("c", { parentContextId: "p" }),
        createdAt: time,
        updatedAt: time,
      });
      assert.deepEqual(await store.getSession("c", "ann"), made);
    });

    on("leaves a session that exists as it is", async (store, clock) => {
      const made = await store.ensureSession(session("c"));
      await clock.advance(1000);
      assert.deepEqual(await store.ensureSession(session("c", { name: "another" })), made);
    });

    on("keeps an id from other users and other agents", async (store) => {
      await store.ensureSession(session("c"));
      await assert.rejects(store.ensureSession(session("c", { user: "bob" })), OwnerMismatchError);
      await assert.rejects(
        store.ensureSession(session("c", { agent: OTHER_AGENT })),
        OwnerMismatchError,
      );
      assert.equal((await store.getSession("c", "ann"))?.user, "ann");
    });

    for (const id of ["", "a\0b", "\ud800", "x".repeat(513)]) {
      on(`refuses ${JSON.stringify(id.slice(0, 8))} as an id`, async (store) => {
        await assert.rejects(store.ensureSession(session(id)), RangeError);
        await assert.rejects(store.ensureSession(session("c", { user: id })), RangeError);
        await begun(store);
        await assert.rejects(
          store.createTask({ id, contextId: "c", agent: AGENT, user: "ann" }),
          RangeError,
        );
      });
    }

    on("keeps any text as a name, with a mark for what is no text", async (store) => {
      const name = `'; drop table "sessions"; -- 日本 👩‍🚀`;
      assert.equal((await store.ensureSession(session("c", { name }))).name, name);
      const broken = await store.ensureSession(session("d", { name: "a\0b\ud83d" }));
      assert.equal(broken.name, "a\ufffdb\ufffd");
    });

    on("lists what was used last first, without child sessions", async (store, clock) => {
      for (const id of ["a", "b", "c"]) {
        await store.ensureSession(session(id));
        await clock.advance(1);
      }
      await store.ensureSession(session("child", { source: "agent", rootContextId: "a" }));
      await store.ensureSession(session("git", { agent: OTHER_AGENT }));
      await clock.advance(1);
      await store.append("a", [said("a", "t", "hello")]);

      const listed = async (filter: Parameters<SessionStore["listSessions"]>[0]) =>
        (await store.listSessions(filter)).map(({ id }) => id);
      assert.deepEqual(await listed({ user: "ann", limit: 10 }), ["a", "git", "c", "b"]);
      assert.deepEqual(await listed({ user: "ann", limit: 2 }), ["a", "git"]);
      assert.deepEqual(await listed({ user: "ann", agent: OTHER_AGENT, limit: 9 }), ["git"]);
      await assert.rejects(store.listSessions({ user: "ann", limit: -1 }), RangeError);
    });

    on("deletes a session with its events, tasks and children", async (store) => {
      await begun(store, "root", "t1");
      await store.append("root", [said("root", "t1", "hello")]);
      const child = { source: "agent", parentContextId: "root", rootContextId: "root" } as const;
      await store.ensureSession(session("child", child));
      await begun(store, "other", "t2");

      assert.equal(await store.deleteSession("root", "ann"), true);
      assert.equal(await store.deleteSession("root", "ann"), false);
      assert.equal(await store.getSession("root", "ann"), undefined);
      assert.equal(await store.getSession("child", "ann"), undefined);
      assert.equal(await store.getTask("t1", "ann"), undefined);
      assert.deepEqual(await store.events("root", "ann"), []);
      assert.equal((await store.getTask("t2", "ann"))?.contextId, "other");
      await assert.rejects(store.append("root", [said("root", "t1", "late")]), UnknownIdError);
    });

    on("starts a deleted session anew from the first position", async (store) => {
      await begun(store);
      await store.append("c", [said("c", "t", "old")]);
      await store.deleteSession("c", "ann");
      await begun(store);
      await store.append("c", [said("c", "t", "new")]);
      assert.deepEqual(await textsOf(store, "c"), [[1, "new"]]);
    });

    on("shows nothing to another user", async (store) => {
      await begun(store);
      await store.append("c", [said("c", "t", "secret")]);
      assert.equal(await store.getSession("c", "bob"), undefined);
      assert.deepEqual(await store.listSessions({ user: "bob", limit: 10 }), []);
      assert.equal(await store.getTask("t", "bob"), undefined);
      assert.deepEqual(await store.listTasks({ agent: AGENT, user: "bob", pageSize: 10 }), {
        tasks: [],
        total: 0,
      });
      assert.deepEqual(await store.events("c", "bob"), []);
      assert.equal(await store.deleteSession("c", "bob"), false);
      assert.equal((await store.events("c", "ann")).length, 1);
    });

    on("hands out copies: changing what was read changes nothing stored", async (store) => {
      await begun(store);
      const given = said("c", "t", "hello");
      const [appended] = await store.append("c", [given]);
      const reads = async () => [
        await store.getSession("c", "ann"),
        await store.getTask("t", "ann"),
        await store.events("c", "ann"),
        await store.listTasks({ agent: AGENT, user: "ann", pageSize: 1 }),
        await store.listSessions({ user: "ann", limit: 1 }),
      ];
      const before = await reads();
      const kept = structuredClone(before);
      for (const read of [...before, appended, given]) spoil(read);
      assert.deepEqual(await reads(), kept);
    });
  });

  describe(`${name} as SessionStore: events`, () => {
    on("gives positions from 1 without gaps, in the order given", async (store) => {
      await begun(store);
      const first = await store.append("c", [said("c", "t", "a"), said("c", "t", "b")]);
      assert.deepEqual(
        first.map(({ seq }) => seq),
        [1, 2],
      );
      assert.deepEqual(await store.append("c", []), []);
      await store.append("c", [said("c", "t", "c")]);
      assert.deepEqual(await textsOf(store, "c"), [
        [1, "a"],
        [2, "b"],
        [3, "c"],
      ]);
    });

    on("gives back every kind of event as it was", async (store) => {
      await begun(store);
      const events = BODIES.map((body) => event("c", "t", body));
      const appended = await store.append("c", events);
      assert.deepEqual(
        appended,
        events.map((given, index) => ({ ...given, seq: index + 1 })),
      );
      assert.deepEqual(await store.events("c", "ann"), appended);
    });

    on("takes a batch of more events than one statement holds", async (store) => {
      await begun(store);
      const texts = Array.from({ length: 1203 }, (_, index) => `text ${index}`);
      await store.append(
        "c",
        texts.map((text) => said("c", "t", text)),
      );
      assert.deepEqual(
        await textsOf(store, "c"),
        texts.map((text, index) => [index + 1, text]),
      );
    });

    on("filters by task, position and number", async (store) => {
      await begun(store);
      await store.append("c", [
        said("c", "t", "a"),
        said("c", "other", "b"),
        said("c", "t", "c"),
        said("c", "t", "d"),
      ]);
      const seqs = async (filter: Parameters<SessionStore["events"]>[2]) =>
        (await store.events("c", "ann", filter)).map(({ seq }) => seq);
      assert.deepEqual(await seqs({ taskId: "t" }), [1, 3, 4]);
      assert.deepEqual(await seqs({ afterSeq: 2 }), [3, 4]);
      assert.deepEqual(await seqs({ taskId: "t", afterSeq: 1, limit: 1 }), [3]);
      assert.deepEqual(await seqs({ limit: 0 }), []);
      await assert.rejects(seqs({ limit: 1.5 }), RangeError);
    });

    const refused: Readonly<Record<string, [NewEvent, new (...args: never[]) => Error]>> = {
      "an event of another session": [said("d", "t", "x"), RangeError],
      "an event id that is stored": [{ ...said("c", "t", "x"), id: "taken" }, RangeError],
      "a status of a task that is over": [status("c", "over", "working"), TaskOverError],
      "a status of an unknown task": [status("c", "nobody", "working"), UnknownIdError],
      "a status of another session's task": [status("c", "td", "working"), UnknownIdError],
    };
    for (const [what, [bad, failure]] of Object.entries(refused)) {
      on(`refuses a batch with ${what}, whole and without a gap`, async (store) => {
        await begun(store);
        await begun(store, "d", "td");
        await store.createTask({ id: "over", contextId: "c", agent: AGENT, user: "ann" });
        await store.append("c", [
          { ...said("c", "t", "first"), id: "taken" },
          status("c", "over", "completed"),
        ]);
        await assert.rejects(
          store.append("c", [said("c", "t", "lost"), status("c", "t", "working"), bad]),
          failure,
        );
        assert.equal((await store.getTask("t", "ann"))?.state, "submitted");
        await store.append("c", [said("c", "t", "next")]);
        assert.deepEqual(await textsOf(store, "c"), [
          [1, "first"],
          [2, "status"],
          [3, "next"],
        ]);
      });
    }

    on("refuses the same event id twice in a batch", async (store) => {
      await begun(store);
      const twice = said("c", "t", "x");
      await assert.rejects(store.append("c", [twice, twice]), RangeError);
      assert.deepEqual(await store.events("c", "ann"), []);
    });

    on(
      "appends concurrently to one session: no gap, no duplicate, batches whole",
      async (store) => {
        await begun(store);
        const batches = await Promise.all(
          Array.from({ length: 60 }, (_, index) =>
            store.append("c", [said("c", "t", `${index} one`), said("c", "t", `${index} two`)]),
          ),
        );
        const stored = await store.events("c", "ann");
        assert.deepEqual(
          stored.map(({ seq }) => seq),
          Array.from({ length: 120 }, (_, index) => index + 1),
        );
        for (const [one, two] of batches) assert.equal(two!.seq, one!.seq + 1);
        assert.deepEqual(
          batches.flat().sort((a, b) => a.seq - b.seq),
          stored,
        );
      },
    );

    on("appends concurrently to many sessions", async (store) => {
      const contexts = Array.from({ length: 12 }, (_, index) => `c${index}`);
      await Promise.all(contexts.map((id) => begun(store, id, `t-${id}`)));
      await Promise.all(
        Array.from({ length: 10 }, (_, round) =>
          Promise.all(contexts.map((id) => store.append(id, [said(id, "t", `${id} ${round}`)]))),
        ),
      );
      for (const id of contexts) {
        const expected = Array.from({ length: 10 }, (_, round) => [round + 1, `${id} ${round}`]);
        assert.deepEqual(await textsOf(store, id), expected);
      }
    });
  });

  describe(`${name} as SessionStore: tasks`, () => {
    on("creates a task as submitted", async (store, clock) => {
      await store.ensureSession(session("c"));
      const wanted = { id: "t", contextId: "c", agent: AGENT, user: "ann" };
      const time = new Date(clock.now()).toISOString();
      const made = { ...wanted, state: "submitted" as const, createdAt: time, updatedAt: time };
      assert.deepEqual(await store.createTask(wanted), made);
      assert.deepEqual(await store.getTask("t", "ann"), made);
    });

    on("refuses a task with a taken id, or in a session that is not its owner's", async (store) => {
      await begun(store);
      const make = (changes: object) =>
        store.createTask({ id: "new", contextId: "c", agent: AGENT, user: "ann", ...changes });
      await assert.rejects(make({ id: "t" }), OwnerMismatchError);
      await assert.rejects(make({ user: "bob" }), OwnerMismatchError);
      await assert.rejects(make({ agent: OTHER_AGENT }), OwnerMismatchError);
      await assert.rejects(make({ contextId: "nowhere" }), UnknownIdError);
      assert.equal(await store.getTask("new", "ann"), undefined);
    });

    on("moves a task along with its status events", async (store, clock) => {
      await begun(store);
      await clock.advance(5);
      const told = event("c", "t", { type: "status", state: "input-required", usage: USAGE });
      await store.append("c", [status("c", "t", "working"), told]);
      const waiting = await store.getTask("t", "ann");
      assert.equal(waiting?.state, "input-required");
      assert.deepEqual(waiting.usage, USAGE);
      assert.equal(waiting.updatedAt, new Date(clock.now()).toISOString());

      await store.append("c", [
        event("c", "t", { type: "status", state: "working", error: LOST }),
        event("c", "t", { type: "status", state: "failed" }),
      ]);
      const failed = await store.getTask("t", "ann");
      assert.equal(failed?.state, "failed");
      assert.equal(failed.error, undefined);
      assert.deepEqual(failed.usage, USAGE);
    });

    for (const state of ["completed", "failed", "canceled", "rejected"] as const) {
      on(`takes ${state} as final, but still what happened besides`, async (store) => {
        await begun(store);
        await store.append("c", [status("c", "t", state)]);
        for (const next of ["working", state] as const) {
          await assert.rejects(store.append("c", [status("c", "t", next)]), {
            name: "TaskOverError",
            taskId: "t",
            state,
            wanted: next,
          });
        }
        await store.append("c", [said("c", "t", "late result")]);
        assert.equal((await store.getTask("t", "ann"))?.state, state);
        assert.equal((await store.events("c", "ann")).length, 2);
      });
    }

    on("refuses two ends in one batch", async (store) => {
      await begun(store);
      await assert.rejects(
        store.append("c", [status("c", "t", "completed"), status("c", "t", "failed")]),
        TaskOverError,
      );
      assert.equal((await store.getTask("t", "ann"))?.state, "submitted");
    });

    on("fails what was open, and only that", async (store, clock) => {
      await begun(store, "c", "submitted");
      await begun(store, "d", "working");
      for (const state of ["input-required", "completed"] as const) {
        await store.createTask({ id: state, contextId: "d", agent: AGENT, user: "ann" });
        await store.append("d", [status("d", state, state)]);
      }
      await store.append("d", [
        event("d", "working", { type: "status", state: "working", usage: USAGE }),
      ]);
      await clock.advance(10);

      const failed = await store.failOpenTasks(LOST);
      assert.deepEqual(failed.map(({ id }) => id).sort(), ["submitted", "working"]);
      for (const task of failed) {
        assert.equal(task.state, "failed");
        assert.deepEqual(task.error, LOST);
        assert.equal(task.updatedAt, new Date(clock.now()).toISOString());
        assert.deepEqual(await store.getTask(task.id, "ann"), task);
        const last = (await store.events(task.contextId, "ann")).at(-1);
        assert.equal(last?.taskId, task.id);
        assert.equal(last.author, "kagent/cluster-agent");
        assert.deepEqual(last.body, { type: "status", state: "failed", error: LOST });
      }
      assert.deepEqual((await store.getTask("working", "ann"))?.usage, USAGE);
      assert.equal((await store.getTask("input-required", "ann"))?.state, "input-required");
      assert.deepEqual(await store.failOpenTasks(LOST), []);
    });
  });

  describe(`${name} as SessionStore: lists of tasks`, () => {
    const QUERY = { agent: AGENT, user: "ann", pageSize: 2 };

    /** Tasks t0..t4, each in a session of its own, the first two updated in the same millisecond. */
    async function five(store: SessionStore, clock: FakeClock): Promise<void> {
      for (let index = 0; index < 5; index++) {
        if (index > 1) await clock.advance(1);
        await begun(store, `c${index}`, `t${index}`);
      }
    }

    on("pages through all of them, last updated first", async (store, clock) => {
      await five(store, clock);
      await clock.advance(1);
      await store.append("c2", [status("c2", "t2", "working")]);
      const seen: string[] = [];
      let pageToken: string | undefined;
      do {
        const page = await store.listTasks({ ...QUERY, ...(pageToken && { pageToken }) });
        assert.equal(page.total, 5);
        seen.push(...page.tasks.map(({ id }) => id));
        pageToken = page.nextPageToken;
      } while (pageToken !== undefined);
      assert.deepEqual(seen, ["t2", "t4", "t3", "t1", "t0"]);
    });

    on("ends without a token when the last page is full", async (store, clock) => {
      await five(store, clock);
      const page = await store.listTasks({ ...QUERY, pageSize: 5 });
      assert.equal(page.tasks.length, 5);
      assert.equal(page.nextPageToken, undefined);
    });

    on("goes on after the task that the token names was deleted", async (store, clock) => {
      await five(store, clock);
      const { tasks, nextPageToken } = await store.listTasks(QUERY);
      await store.deleteSession(tasks[1]!.contextId, "ann");
      const next = await store.listTasks({ ...QUERY, pageToken: nextPageToken! });
      assert.deepEqual(
        next.tasks.map(({ id }) => id),
        ["t2", "t1"],
      );
      assert.equal(next.total, 4);
    });

    on("filters by agent, session and state", async (store, clock) => {
      await five(store, clock);
      await store.append("c3", [status("c3", "t3", "working")]);
      const found = async (changes: object) => {
        const { tasks, total } = await store.listTasks({ ...QUERY, pageSize: 100, ...changes });
        assert.equal(total, tasks.length);
        return tasks.map(({ id }) => id);
      };
      assert.deepEqual(await found({ contextId: "c1" }), ["t1"]);
      assert.deepEqual(await found({ state: "working" }), ["t3"]);
      assert.deepEqual(await found({ contextId: "c1", state: "working" }), []);
      assert.deepEqual(await found({ agent: OTHER_AGENT }), []);
    });

    const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const garbage = {
      "an empty one": "",
      "no base64": "§$%&",
      "no JSON": Buffer.from("[1,").toString("base64url"),
      "another shape": encoded({ id: "t" }),
      "no time": encoded(["yesterday", "t"]),
      numbers: encoded([1, 2]),
      "an empty id": encoded(["2026-01-01T00:00:00.000Z", ""]),
      "1 MB": "A".repeat(1_000_000),
    };
    for (const [what, pageToken] of Object.entries(garbage)) {
      on(`refuses a page token that is ${what}`, async (store) => {
        await begun(store);
        await assert.rejects(store.listTasks({ ...QUERY, pageToken }), RangeError);
      });
    }

    for (const pageSize of [0, 101, 1.5, -1, Number.NaN]) {
      on(`refuses ${pageSize} as a page size`, async (store) => {
        await assert.rejects(store.listTasks({ ...QUERY, pageSize }), RangeError);
      });
    }
  });

  describe(`${name} as SessionStore: close`, () => {
    on("waits for the calls before it and refuses those after it", async (store) => {
      await begun(store);
      const before = Array.from({ length: 20 }, (_, index) =>
        store.append("c", [said("c", "t", `${index}`)]),
      );
      const closed = store.close();
      await Promise.all([...before, closed, store.close()]);
      await assert.rejects(store.append("c", [said("c", "t", "late")]));
      await assert.rejects(store.getSession("c", "ann"));
    });
  });
}

/** Changes everything that can be reached from `value`. */
function spoil(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  const record = value as Record<string, unknown>;
  for (const key of Object.keys(record)) {
    spoil(record[key]);
    record[key] = "spoiled";
  }
}

/** One of each kind, with values that are hard to keep. */
const BODIES: readonly EventBody[] = [
  {
    type: "message",
    role: "user",
    parts: [
      { text: "a\0b \ud83d 👩‍🚀 \u2028 ' \" \\ \n", metadata: { "kagent.dev/thought": true } },
      { data: { nested: [null, 1e-7, 2 ** 53, { "": [] }] }, mediaType: "application/json" },
      { raw: "AAEC", filename: "a.bin" },
      { url: "https://example.com/a" },
    ],
  },
  {
    type: "tool-call",
    callId: "1",
    name: "k8s-tools-x_get",
    args: { a: [1] },
    target: { kind: "mcp", ref: "kagent/k8s" },
  },
  {
    type: "tool-result",
    callId: "1",
    name: "k8s-tools-x_get",
    ok: false,
    parts: [{ text: "x".repeat(100_000) }],
    ms: 1.25,
    childContextId: "d",
  },
  {
    type: "routing",
    outcome: "rule",
    rules: ["pods"],
    agents: ["kagent/cluster-agent"],
    matched: { pods: ["pod"] },
    scores: { pods: 1 },
  },
  { type: "refusal", layer: "agent", rule: "delete", message: "no" },
  {
    type: "approval-requested",
    pending: [
      { confirmationId: "2", callId: "1", kind: "approval", name: "n", args: {}, hint: "sure?" },
    ],
  },
  {
    type: "approval-decided",
    decisions: [{ callId: "1", decision: "reject", reason: "r", argsHash: "00" }],
    approver: "ann",
  },
  { type: "compaction", fromSeq: 1, toSeq: 2, summary: "s" },
  { type: "limit", limit: "maxToolCalls", value: 50 },
  { type: "error", error: LOST },
  { type: "handoff", agent: "kagent/git-agent", when: "output.x" },
  { type: "status", state: "completed", usage: USAGE },
];
