import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { beat } from "../../../../runtime/controller/role/beat.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { LogLines } from "../../mcp/pool-fixture.ts";

describe("runtime/controller/role/beat", () => {
  const { signal } = new AbortController();

  it("works at the start and again and again, also after a failure, until it is stopped", async () => {
    const clock = new FakeClock();
    const log = new LogLines();
    let done = 0;
    const work = (): Promise<void> => {
      done += 1;
      return done === 2 ? Promise.reject(new Error("no")) : Promise.resolve();
    };
    const service = beat("work", 1_000, work, { clock, log: log.log });
    await service.start(signal);
    await clock.advance(0);
    assert.equal(done, 1);
    await clock.advance(2_000);
    assert.equal(done, 3);
    assert.equal(log.lines.length, 1);
    await service.stop();
    await clock.advance(10_000);
    assert.equal(done, 3);
    assert.equal(clock.pending, 0);
  });

  it("ends after what is under way", async () => {
    const clock = new FakeClock();
    const under = Promise.withResolvers<undefined>();
    const service = beat("work", 1_000, () => under.promise, { clock, log: new LogLines().log });
    await service.start(signal);
    let stopped = false;
    const stopping = service.stop().then(() => {
      stopped = true;
    });
    await clock.advance(0);
    assert.equal(stopped, false);
    under.resolve(undefined);
    await stopping;
    assert.equal(clock.pending, 0);
  });
});
