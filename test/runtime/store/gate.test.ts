import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { Gate } from "../../../runtime/store/gate.ts";

describe("runtime/store/gate", () => {
  it("closes when the last call is out, whatever became of it, and once", async () => {
    const gate = new Gate();
    const calls = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    let next = 0;
    const store = gate.guard({ call: () => calls[next++]!.promise, limit: 3 });
    assert.equal(store.limit, 3);
    const first = store.call();
    const second = store.call();
    const done: string[] = [];
    const close = () =>
      gate.close(() => {
        done.push("closed");
        return Promise.resolve();
      });
    const closed = Promise.all([close(), close()]).then(() => done.push("told"));
    await assert.rejects(store.call(), /failed to query store: it is closed/);
    calls[0]!.resolve("value");
    assert.equal(await first, "value");
    assert.deepEqual(done, []);
    calls[1]!.reject(new Error("broken"));
    await assert.rejects(second, /broken/);
    await closed;
    assert.deepEqual(done, ["closed", "told"]);
  });

  it("passes on arguments, and what is thrown at once", async () => {
    const store = new Gate().guard({
      add: (a: number, b: number) => Promise.resolve(a + b),
      fail: (): Promise<never> => {
        throw new RangeError("no");
      },
    });
    assert.equal(await store.add(1, 2), 3);
    await assert.rejects(store.fail(), RangeError);
  });

  it("closes at once when nobody is inside", async () => {
    let closed = false;
    await new Gate().close(() => {
      closed = true;
      return Promise.resolve();
    });
    assert.equal(closed, true);
  });
});
