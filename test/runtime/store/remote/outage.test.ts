import assert from "node:assert/strict";
import fc from "fast-check";
import { afterEach, describe, it } from "mocha";
import type { EventBody, NewEvent } from "../../../../runtime/api/events.ts";
import { StoreForbiddenError } from "../../../../runtime/store/remote/wire-error.ts";
import { StoreAwayError } from "../../../../runtime/store/store-away-error.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import {
  AGENT,
  type Fault,
  type HarnessOptions,
  type RemoteHarness,
  remoteHarness,
} from "./store-harness.ts";

const SESSION = { agent: AGENT, user: "ann", name: "n", source: "user" } as const;
let ids = 0;

function event(body: EventBody, contextId = "c"): NewEvent {
  ids += 1;
  const time = "2026-01-01T00:00:00.000Z";
  return { id: `e-${ids}`, time, contextId, taskId: "t", author: "kagent/cluster-agent", body };
}

function said(text: string, contextId = "c"): NewEvent {
  return event({ type: "message", role: "agent", parts: [{ text }] }, contextId);
}

const INTENT: EventBody = { type: "tool-intent", callId: "1", name: "delete", argsHash: "00" };

describe("runtime/store/remote while the controller is away", () => {
  let harness: RemoteHarness | undefined;
  afterEach(async () => {
    await harness?.close();
    harness = undefined;
  });

  async function open(options: HarnessOptions = {}, contextId = "c"): Promise<RemoteHarness> {
    const made = await remoteHarness(options);
    harness = made;
    await begin(made, contextId);
    return made;
  }

  async function begin({ remote }: RemoteHarness, contextId: string): Promise<void> {
    await remote.ensureSession({ ...SESSION, id: contextId, rootContextId: contextId });
    const taskId = contextId === "c" ? "t" : `t-${contextId}`;
    await remote.createTask({ id: taskId, contextId, agent: AGENT, user: "ann" });
    await remote.append(contextId, [said("first", contextId)]);
  }

  const stored = async ({ store }: RemoteHarness, contextId = "c") =>
    (await store.sessions.events(contextId, "ann")).map(({ seq, id }) => ({ seq, id }));

  /** Moves the clock until `work` is done. */
  async function advanced<T>(clock: FakeClock, work: Promise<T>): Promise<T> {
    const state = { done: false };
    const over = work.finally(() => {
      state.done = true;
    });
    over.catch(() => undefined);
    while (!state.done) await clock.advance(50);
    return await over;
  }

  it("lets turns go on, says so once, and stores everything in order when it is back", async () => {
    const clock = new FakeClock();
    const at = await open({ clock });
    at.down = true;
    const told = [];
    for (let n = 0; n < 20; n += 1)
      told.push(...(await at.remote.append("c", [said(`${n}`), said(`${n} too`)])));
    assert.deepEqual(
      told.map(({ seq }) => seq),
      Array.from({ length: 40 }, (_, index) => index + 2),
    );
    await clock.advance(30_000);
    assert.equal((await stored(at)).length, 1);
    assert.equal(at.remote.state.events, 40);
    assert.ok((at.remote.state.awayMs ?? 0) >= 30_000);
    at.down = false;
    const read = await advanced(clock, at.remote.events("c", "ann"));
    assert.deepEqual(read.slice(1), told);
    assert.deepEqual(await stored(at), [
      { seq: 1, id: read[0]?.id },
      ...told.map(({ seq, id }) => ({ seq, id })),
    ]);
    assert.deepEqual(at.remote.state, { awayMs: undefined, events: 0 });
    assert.deepEqual(at.lines, [
      "the session store is away; events wait and turns go on",
      "the session store is back",
    ]);
  });

  for (const [what, body] of Object.entries({
    "an intent": INTENT,
    "a user's message": { type: "message", role: "user", parts: [] },
  } satisfies Record<string, EventBody>)) {
    it(`makes a turn wait until ${what} is stored`, async () => {
      const clock = new FakeClock();
      const at = await open({ clock });
      at.down = true;
      let done = false;
      const waiting = at.remote.append("c", [event(body)]).then((events) => {
        done = true;
        return events;
      });
      await clock.advance(20_000);
      assert.equal(done, false);
      at.down = false;
      const [one] = await advanced(clock, waiting);
      assert.equal(one?.seq, 2);
      assert.equal((await stored(at)).length, 2);
    });

    it(`fails after 60 s without the store for ${what}, which is not stored later`, async () => {
      const clock = new FakeClock();
      const at = await open({ clock });
      at.down = true;
      await assert.rejects(advanced(clock, at.remote.append("c", [event(body)])), (error) => {
        assert.ok(error instanceof StoreAwayError);
        assert.match(
          error.message,
          /session c: the controller has been away for 60 s .* KAGENT_URL/,
        );
        return true;
      });
      at.down = false;
      await advanced(clock, at.remote.append("c", [said("next")]));
      await advanced(clock, at.remote.events("c", "ann"));
      assert.equal((await stored(at)).length, 2);
    });
  }

  it("does not send again what was given up while a request for it was under way", async () => {
    const clock = new FakeClock();
    const at = await open({ clock });
    at.down = "silent";
    await assert.rejects(advanced(clock, at.remote.append("c", [event(INTENT)])), StoreAwayError);
    await clock.advance(20_000);
    at.down = false;
    await advanced(clock, at.remote.append("c", [said("next")]));
    await advanced(clock, at.remote.events("c", "ann"));
    const bodies = (await at.store.sessions.events("c", "ann")).map(({ body }) => body.type);
    assert.deepEqual(bodies, ["message", "message"]);
  });

  it("keeps an end of a turn for as long as it takes", async () => {
    const clock = new FakeClock();
    const at = await open({ clock });
    at.down = true;
    const end = at.remote.append("c", [event({ type: "status", state: "completed" })]);
    await clock.advance(3_600_000);
    at.down = false;
    await advanced(clock, end);
    assert.equal((await at.store.sessions.getTask("t", "ann"))?.state, "completed");
  });

  it("makes turns wait once the buffer is full, then fails them by name; their end still fits", async () => {
    const clock = new FakeClock();
    const at = await open({ clock, deps: { maxWaiting: 2_000 } });
    at.down = true;
    await at.remote.append("c", [said("x".repeat(1_500))]);
    const more = at.remote.append("c", [said("y".repeat(1_500))]);
    await assert.rejects(advanced(clock, more), /buffer|wait already/);
    const end = at.remote.append("c", [event({ type: "status", state: "failed" })]);
    at.down = false;
    await advanced(clock, end);
    const fits = await advanced(clock, at.remote.append("c", [said("y".repeat(1_500))]));
    assert.equal(fits[0]?.seq, 4);
    assert.equal((await stored(at)).length, 4);
  });

  it("goes on with a turn that waited for room as soon as there is some", async () => {
    const clock = new FakeClock();
    const at = await open({ clock, deps: { maxWaiting: 2_000 } });
    at.down = true;
    await at.remote.append("c", [said("x".repeat(1_500))]);
    const more = at.remote.append("c", [said("y".repeat(1_500))]);
    await clock.advance(1_000);
    at.down = false;
    assert.equal((await advanced(clock, more))[0]?.seq, 3);
  });

  it("tells what the store refuses when it is back, and stores the rest", async () => {
    const clock = new FakeClock();
    const at = await open({ clock });
    at.down = true;
    await at.remote.append("c", [said("kept")]);
    await at.remote.append("c", [event({ type: "status", state: "working" })]);
    await at.remote.append("c", [said("kept too")]);
    // meanwhile the leader counts this worker as lost
    await at.store.sessions.append("c", [event({ type: "status", state: "failed" })]);
    at.down = false;
    await advanced(clock, at.remote.events("c", "ann"));
    const bodies = (await at.store.sessions.events("c", "ann")).map(({ body }) => body.type);
    assert.deepEqual(bodies, ["message", "status", "message", "message"]);
    assert.ok(at.lines.includes("buffered events were refused"));
    assert.ok(at.lines.includes("buffered events moved"));
  });

  it("stores nothing twice and loses nothing, whatever the network does", async () => {
    const fault = fc.constantFrom<Fault>("lost", "unanswered", 500, 502, 503, 429, 401, 404);
    const faults = fc.array(fc.oneof(fault, fc.constant<undefined>(undefined)), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(faults, fc.array(fc.nat(3), { maxLength: 8 }), async (bad, sizes) => {
        const clock = new FakeClock();
        const at = await open({ clock });
        at.faults.push(...(bad as Fault[]));
        const given: string[] = [];
        const told: { seq: number; id: string }[] = [];
        for (const size of sizes) {
          const events = Array.from({ length: size }, (_, n) =>
            n === 2 ? event(INTENT) : said("x"),
          );
          given.push(...events.map(({ id }) => id));
          const answer = await advanced(clock, at.remote.append("c", events));
          told.push(...answer.map(({ seq, id }) => ({ seq, id })));
        }
        await advanced(clock, at.remote.close(new AbortController().signal));
        assert.deepEqual((await stored(at)).slice(1), told);
        assert.deepEqual(
          told.map(({ id }) => id),
          given,
        );
        await at.close();
        harness = undefined;
      }),
      { numRuns: 40 },
    );
  }).timeout(30_000);

  it("takes a task for made when only the answer was lost", async () => {
    const clock = new FakeClock();
    const at = await open({ clock });
    at.faults.push("unanswered");
    const task = { id: "t2", contextId: "c", agent: AGENT, user: "ann" };
    const made = await advanced(clock, at.remote.createTask(task));
    assert.equal(made.state, "submitted");
    await assert.rejects(at.remote.createTask(task), { name: "OwnerMismatchError" });
  });

  it("asks for its token with every request, so that a new one counts at once", async () => {
    const clock = new FakeClock();
    const sent: (string | null)[] = [];
    let token = "old";
    const at = await open({
      clock,
      deps: {
        token: () => Promise.resolve(token),
        fetch: (input, init) => {
          const bearer = new Headers(init?.headers).get("authorization");
          sent.push(bearer);
          const refused = bearer === "Bearer old" && sent.length > 5;
          return refused
            ? Promise.resolve(new Response("{}", { status: 401 }))
            : fetch(input, init);
        },
      },
    });
    while (sent.length < 6)
      await at.remote.heartbeat({ id: "w", url: "http://127.0.0.1:1" }).catch(() => {});
    token = "new";
    await advanced(clock, at.remote.append("c", [event(INTENT)]));
    assert.equal(sent.at(-1), "Bearer new");
  });

  it("gives up other calls after 15 s and names the address", async () => {
    const clock = new FakeClock();
    const at = await open({ clock });
    at.down = true;
    const before = clock.now();
    await assert.rejects(advanced(clock, at.remote.getSession("c", "ann")), (error) => {
      assert.ok(error instanceof StoreAwayError);
      assert.match(error.message, /http:\/\/127\.0\.0\.1:\d+ \(ECONNREFUSED\)/);
      return true;
    });
    assert.ok(clock.now() - before <= 16_000);
    assert.ok(at.calls.filter((call) => call === "getSession").length > 5);
  });

  it("says when what waits could not be stored before the end", async () => {
    const clock = new FakeClock();
    const at = await open({ clock });
    at.down = true;
    await at.remote.append("c", [said("lost")]);
    await at.remote.close(AbortSignal.abort());
    assert.ok(at.lines.includes("events could not be stored before the end"));
    await assert.rejects(at.remote.append("c", [said("late")]), /closed/);
  });

  it("refuses a batch that is too large, and stores the next one", async () => {
    const at = await open();
    const large = said("x".repeat(17 * 1024 * 1024));
    await assert.rejects(at.remote.append("c", [large]), RangeError);
    assert.equal((await at.remote.append("c", [said("small")]))[0]?.seq, 2);
  });
});

describe("runtime/store/remote/session-routes", () => {
  it("shows and takes nothing of agents that the worker does not run", async () => {
    let mine = true;
    const at = await remoteHarness({ mayServe: () => mine });
    const { remote } = at;
    const session = { ...SESSION, id: "c", rootContextId: "c" };
    const task = { id: "t", contextId: "c", agent: AGENT, user: "ann" };
    await remote.ensureSession(session);
    await remote.createTask(task);
    await remote.append("c", [said("secret")]);
    await remote.heartbeat({ id: "w", url: "http://127.0.0.1:1" });
    mine = false;
    assert.equal(await remote.getSession("c", "ann"), undefined);
    assert.equal(await remote.getTask("t", "ann"), undefined);
    assert.deepEqual(await remote.events("c", "ann"), []);
    assert.equal(await remote.ownerOf("t", "ann"), undefined);
    assert.deepEqual(await remote.approvals().list({ limit: 10 }), []);
    const refused = [
      () => remote.ensureSession({ ...session, id: "d", rootContextId: "d" }),
      () => remote.createTask({ ...task, id: "t2" }),
      () => remote.listTasks({ agent: AGENT, user: "ann", pageSize: 1 }),
      () => remote.append("c", [said("forged")]),
    ];
    for (const call of refused) await assert.rejects(call(), StoreForbiddenError);
    await assert.rejects(remote.claimTask("t", "w"), { name: "UnknownIdError" });
    assert.equal((await at.store.sessions.events("c", "ann")).length, 1);
    await at.close();
  });

  it("takes no events for a session of another agent, whatever the request says", async () => {
    const at = await remoteHarness({ mayServe: (_, { name }) => name === "git-agent" });
    await at.store.sessions.ensureSession({ ...SESSION, id: "c", rootContextId: "c" });
    const agent = { namespace: "kagent", name: "git-agent" };
    const body = JSON.stringify({ contextId: "c", agent, user: "ann", events: [said("forged")] });
    const response = await fetch(`${at.server.url}/internal/store/append`, {
      method: "POST",
      body,
    });
    assert.equal(response.status, 404);
    assert.deepEqual(await at.store.sessions.events("c", "ann"), []);
    await at.close();
  });

  for (const [what, body] of Object.entries({
    "no JSON": "{",
    "another shape": '{"id":1}',
    "more than the call has": '{"id":"c","user":"ann","more":1}',
  })) {
    it(`answers 400 to ${what}`, async () => {
      const at = await remoteHarness();
      const url = `${at.server.url}/internal/store/getSession`;
      const response = await fetch(url, { method: "POST", body });
      assert.equal(response.status, 400);
      assert.match(await response.text(), /RangeError/);
      await at.close();
    });
  }
});
