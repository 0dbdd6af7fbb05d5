import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { RateLimiter } from "../../../runtime/process/rate-limit.ts";
import { FakeClock } from "../../support/fake-clock.ts";

describe("runtime/process/rate-limit", () => {
  const taken = (limiter: RateLimiter, caller: string, times: number): number =>
    Array.from({ length: times }, () => limiter.take(caller)).filter((wait) => wait === 0).length;

  it("lets a burst through, then as many as the rate allows", async () => {
    const clock = new FakeClock();
    const limiter = new RateLimiter({ clock, perSecond: 10, burst: 5 });
    assert.equal(taken(limiter, "ana", 20), 5);
    assert.equal(limiter.take("ana"), 100);
    await clock.advance(250);
    assert.equal(taken(limiter, "ana", 20), 2);
    await clock.advance(3_600_000);
    assert.equal(taken(limiter, "ana", 20), 5);
  });

  it("counts callers apart", () => {
    const limiter = new RateLimiter({ clock: new FakeClock(), perSecond: 1, burst: 1 });
    assert.equal(limiter.take("ana"), 0);
    assert.equal(limiter.take("ben"), 0);
    assert.equal(limiter.take("ana"), 1_000);
  });

  it("says when the next request may come", async () => {
    const clock = new FakeClock();
    const limiter = new RateLimiter({ clock, perSecond: 3, burst: 1 });
    limiter.take("ana");
    const wait = limiter.take("ana");
    await clock.advance(wait - 1);
    assert.notEqual(limiter.take("ana"), 0);
    await clock.advance(wait);
    assert.equal(limiter.take("ana"), 0);
  });

  it("forgets who asked longest ago", () => {
    const clock = new FakeClock();
    const limiter = new RateLimiter({ clock, perSecond: 1, burst: 1, maxCallers: 2 });
    limiter.take("ana");
    limiter.take("ben");
    limiter.take("ana");
    limiter.take("cem");
    assert.notEqual(limiter.take("ana"), 0, "ana asked after ben");
    assert.equal(limiter.take("ben"), 0);
  });
});
