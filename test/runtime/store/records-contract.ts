import assert from "node:assert/strict";
import { describe } from "mocha";
import type { Store } from "../../../runtime/store/open-store.ts";
import { begin, type OpenEmpty, onStore, status } from "./store-contract.ts";

const DAY_MS = 86_400_000;

/** What every Store keeps of reports, feedback and shares, and for how long of sessions. */
export function recordsContract(name: string, open: OpenEmpty): void {
  const on = onStore(open);

  describe(`${name} as ReportStore`, () => {
    const report = { id: "r", kind: "incident", title: "t", markdown: "# T\0" };

    on("gives back what was saved, under the time of the first", async ({ reports }, clock) => {
      const saved = await reports.save({ ...report, incident: "i" });
      const createdAt = "2026-01-01T00:00:00.000Z";
      assert.deepEqual(saved, { ...report, markdown: "# T\ufffd", incident: "i", createdAt });
      assert.deepEqual(await reports.get("r"), saved);
      await clock.advance(1000);
      const again = await reports.save({ ...report, title: "other" });
      assert.deepEqual(again, { ...report, title: "other", markdown: "# T\ufffd", createdAt });
      assert.equal(await reports.get("none"), undefined);
    });

    on("lists by kind and incident, newest first, without texts", async ({ reports }, clock) => {
      for (const [id, kind, incident] of [
        ["a", "incident", "i1"],
        ["b", "incident", "i2"],
        ["c", "weekly", undefined],
      ] as const) {
        await reports.save({ ...report, id, kind, ...(incident && { incident }) });
        await clock.advance(1);
      }
      const listed = async (filter: object) =>
        (await reports.list({ limit: 100, ...filter })).map(({ id }) => id);
      assert.deepEqual(await listed({}), ["c", "b", "a"]);
      assert.deepEqual(await listed({ kind: "incident" }), ["b", "a"]);
      assert.deepEqual(await listed({ incident: "i1" }), ["a"]);
      assert.deepEqual(await listed({ kind: "weekly", incident: "i1" }), []);
      assert.deepEqual(await listed({ limit: 1 }), ["c"]);
      const [first] = await reports.list({ limit: 1 });
      assert.ok(first !== undefined && !("markdown" in first));
      for (const limit of [0, 101, 0.5]) await assert.rejects(listed({ limit }), RangeError);
    });

    on("refuses what cannot be stored", async ({ reports }) => {
      const bad = [
        { id: "" },
        { kind: "\0" },
        { title: " " },
        { title: "x".repeat(501) },
        { markdown: "" },
        { markdown: "x".repeat(1_000_001) },
        { incident: "" },
      ];
      for (const changes of bad) {
        await assert.rejects(reports.save({ ...report, ...changes }), RangeError);
      }
      assert.deepEqual(await reports.list({ limit: 100 }), []);
    });
  });

  describe(`${name} as FeedbackStore`, () => {
    on("keeps what a user thinks, and shows it to that user", async ({ feedback }, clock) => {
      const good = { user: "ann", positive: true, text: "" };
      const first = await feedback.add(good);
      assert.deepEqual(first, { ...good, id: "made-00001", createdAt: "2026-01-01T00:00:00.000Z" });
      await clock.advance(1);
      const issue = { messageId: "m", issueType: "factual" };
      const second = await feedback.add({ ...good, positive: false, text: "no\0", ...issue });
      assert.equal(second.text, "no\ufffd");
      await feedback.add({ ...good, user: "bob" });
      assert.deepEqual(await feedback.list({ user: "ann", limit: 9 }), [second, first]);
      assert.equal((await feedback.list({ user: "ann", limit: 1 })).length, 1);
      assert.deepEqual(await feedback.list({ user: "carol", limit: 9 }), []);
    });

    on("refuses what is endless", async ({ feedback }) => {
      const text = "x".repeat(10_001);
      await assert.rejects(feedback.add({ user: "ann", positive: true, text }), RangeError);
      await assert.rejects(feedback.add({ user: "", positive: true, text: "" }), RangeError);
      await assert.rejects(feedback.list({ user: "ann", limit: 1001 }), RangeError);
    });
  });

  describe(`${name} as ShareStore`, () => {
    on("finds a session's share by its token, which nobody can guess", async (store, clock) => {
      await begin(store, { contextId: "c", taskId: "t" });
      const wanted = { contextId: "c", user: "ann", readOnly: true };
      const share = await store.shares.create(wanted);
      const { token, ...rest } = share;
      assert.match(token, /^[\w-]{43}$/);
      assert.deepEqual(rest, { ...wanted, createdAt: "2026-01-01T00:00:00.000Z" });
      await clock.advance(1);
      const other = await store.shares.create({ ...wanted, readOnly: false });
      assert.notEqual(other.token, token);
      assert.equal(other.readOnly, false);
      assert.deepEqual(await store.shares.find(token), share);
      assert.equal(await store.shares.find(token.slice(1)), undefined);
      assert.deepEqual(await store.shares.list("c", "ann"), [other, share]);
    });

    on("lets only the owner of a session share it, see its shares and end them", async (store) => {
      await begin(store, { contextId: "c", taskId: "t" });
      const ofBob = { contextId: "c", user: "bob", readOnly: true };
      const unknown = { name: "UnknownIdError", kind: "session", id: "c" };
      await assert.rejects(store.shares.create(ofBob), unknown);
      const share = await store.shares.create({ ...ofBob, user: "ann" });
      assert.deepEqual(await store.shares.list("c", "bob"), []);
      assert.equal(await store.shares.delete({ ...share, user: "bob" }), false);
      assert.equal(await store.shares.delete({ ...share, contextId: "d" }), false);
      assert.deepEqual(await store.shares.find(share.token), share);
      assert.equal(await store.shares.delete(share), true);
      assert.equal(await store.shares.delete(share), false);
      assert.equal(await store.shares.find(share.token), undefined);
    });

    on("forgets the shares of a session with it", async (store) => {
      await begin(store, { contextId: "c", taskId: "t" });
      const share = await store.shares.create({ contextId: "c", user: "ann", readOnly: true });
      await store.sessions.deleteSession("c", "ann");
      assert.equal(await store.shares.find(share.token), undefined);
      await begin(store, { contextId: "c", taskId: "t" });
      assert.deepEqual(await store.shares.list("c", "ann"), []);
    });
  });

  describe(`${name}: retention`, () => {
    const ids = async (store: Store) =>
      (await store.sessions.listSessions({ user: "ann", limit: 100 })).map(({ id }) => id).sort();

    on(
      "deletes sessions that were unused for so many days, with all that is theirs",
      async (store, clock) => {
        for (let index = 0; index < 45; index++) {
          await begin(store, { contextId: `old-${index}`, taskId: `t-${index}` });
        }
        await begin(store, { contextId: "used", taskId: "u" });
        await clock.advance(DAY_MS);
        await begin(store, { contextId: "new", taskId: "n" });
        await store.sessions.append("used", [status("used", "u", "working")]);
        await clock.advance(2 * DAY_MS - 1);
        assert.equal(await store.prune(3), 0);
        await clock.advance(1);
        assert.equal(await store.prune(3), 45);
        assert.deepEqual(await ids(store), ["new", "used"]);
        assert.equal(await store.sessions.getTask("t-0", "ann"), undefined);
        assert.deepEqual(await store.sessions.events("old-0", "ann"), []);
        assert.equal((await store.sessions.events("used", "ann")).length, 1);
        assert.equal(await store.prune(3), 0);
      },
    );

    on("keeps a chain of sessions as long as one of them is used", async (store, clock) => {
      await begin(store, { contextId: "c", taskId: "t" });
      await begin(store, { contextId: "child", taskId: "u", root: "c" });
      await clock.advance(DAY_MS);
      await store.sessions.append("c", [status("c", "t", "working")]);
      assert.equal(await store.prune(1), 0);
      assert.equal((await store.sessions.getSession("child", "ann"))?.id, "child");
      await clock.advance(DAY_MS);
      assert.equal(await store.prune(1), 2);
      assert.equal(await store.sessions.getSession("child", "ann"), undefined);
    });

    on("refuses to prune everything", async (store) => {
      await begin(store, { contextId: "c", taskId: "t" });
      for (const days of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
        await assert.rejects(store.prune(days), RangeError);
      }
      assert.deepEqual(await ids(store), ["c"]);
    });
  });
}
