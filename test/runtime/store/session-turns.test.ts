import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { SessionTurns } from "../../../runtime/store/session-turns.ts";

describe("runtime/store/session-turns", () => {
  it("lets the work of a session take turns, and sessions pass each other", async () => {
    const turns = new SessionTurns();
    const first = Promise.withResolvers<undefined>();
    const log: string[] = [];
    const held = turns.take("c", async () => {
      await first.promise;
      log.push("first");
    });
    const behind = turns.take("c", () => Promise.resolve(log.push("second")));
    await turns.take("d", () => Promise.resolve(log.push("other")));
    first.resolve(undefined);
    await Promise.all([held, behind]);
    assert.deepEqual(log, ["other", "first", "second"]);
  });

  it("goes on after a failure, which only its own caller is told of", async () => {
    const turns = new SessionTurns();
    const failed = turns.take("c", () => Promise.reject(new Error("broken")));
    const next = turns.take("c", () => Promise.resolve("fine"));
    await assert.rejects(failed, /broken/);
    assert.equal(await next, "fine");
  });
});
