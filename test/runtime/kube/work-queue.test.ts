import assert from "node:assert/strict";
import fc from "fast-check";
import { afterEach, beforeEach, describe, it } from "mocha";
import { WorkQueue, type WorkQueueOptions } from "../../../runtime/kube/work-queue.ts";
import { type Logger, silentLog } from "../../../runtime/telemetry/log.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Work that the test ends, in the order it began. */
class HeldWork {
  readonly begun: string[] = [];
  readonly #held = new Map<string, ((error?: Error) => void)[]>();

  readonly process = (key: string, signal: AbortSignal): Promise<undefined> => {
    this.begun.push(key);
    return new Promise((resolve, reject) => {
      signal.addEventListener("abort", () => {
        reject(signal.reason as Error);
      });
      const ends = this.#held.get(key) ?? [];
      this.#held.set(key, [
        ...ends,
        (error) => {
          if (error === undefined) resolve(undefined);
          else reject(error);
        },
      ]);
    });
  };

  async end(key: string, error?: Error): Promise<void> {
    const [first, ...rest] = this.#held.get(key) ?? [];
    assert.ok(first, `${key} is not under way`);
    this.#held.set(key, rest);
    first(error);
    await turn();
  }
}

describe("runtime/kube/work-queue", () => {
  let clock: FakeClock;
  let end: AbortController;
  let work: HeldWork;
  let logged: Readonly<Record<string, unknown>>[];
  const running: Promise<void>[] = [];

  beforeEach(() => {
    clock = new FakeClock();
    end = new AbortController();
    work = new HeldWork();
    logged = [];
  });
  afterEach(async () => {
    end.abort(new Error("the test is over"));
    await Promise.all(running.splice(0));
    assert.equal(clock.pending, 0, "timers are left");
  });

  function start(options: Partial<WorkQueueOptions> = {}): WorkQueue {
    const log: Logger = { ...silentLog, warn: (_message, fields = {}) => void logged.push(fields) };
    const deps = { clock, random: () => 0, log };
    const queue = new WorkQueue(deps, { name: "test", process: work.process, ...options });
    running.push(queue.run(end.signal));
    return queue;
  }

  it("processes each key once, first come first served, as many at once as there are workers", async () => {
    const queue = start({ workers: 2 });
    for (const key of ["a", "b", "c", "c", "d"]) queue.add(key);
    assert.deepEqual(work.begun, ["a", "b"]);
    assert.equal(queue.depth, 2);
    assert.equal(queue.processing, 2);
    await work.end("b");
    assert.deepEqual(work.begun, ["a", "b", "c"]);
    await work.end("a");
    assert.deepEqual(work.begun, ["a", "b", "c", "d"]);
    assert.equal(queue.depth, 0);
  });

  it("takes keys before it runs", async () => {
    const log = silentLog;
    const queue = new WorkQueue(
      { clock, random: () => 0, log },
      { name: "test", process: work.process },
    );
    queue.add("a");
    assert.deepEqual(work.begun, []);
    running.push(queue.run(end.signal));
    assert.deepEqual(work.begun, ["a"]);
  });

  it("processes a key again that was added while it was processed, and never twice at once", async () => {
    const queue = start();
    queue.add("a");
    queue.add("a");
    queue.add("a");
    assert.deepEqual(work.begun, ["a"]);
    await work.end("a");
    assert.deepEqual(work.begun, ["a", "a"]);
    await work.end("a");
    assert.deepEqual(work.begun, ["a", "a"]);
  });

  it("waits longer after each failure of a key, and says so", async () => {
    const queue = start();
    queue.add("a");
    const waits: number[] = [];
    for (let failures = 1; failures <= 12; failures += 1) {
      await work.end("a", new Error("not now"));
      const began = clock.now();
      while (work.begun.length === failures) await clock.advance(100);
      waits.push(clock.now() - began);
    }
    assert.deepEqual(
      waits,
      [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000],
    );
    const { key, failures, error } = logged[1] ?? {};
    assert.deepEqual({ key, failures, error }, { key: "a", failures: 2, error: "Error: not now" });
    assert.equal(queue.depth, 0);
  });

  it("draws the wait from a range, so that keys do not come back together", async () => {
    const deps = { clock, random: () => 0.999, log: silentLog };
    const queue = new WorkQueue(deps, { name: "test", process: work.process });
    running.push(queue.run(end.signal));
    queue.add("a");
    await work.end("a", new Error("not now"));
    await clock.advance(199);
    assert.equal(work.begun.length, 1);
    await clock.advance(1);
    assert.equal(work.begun.length, 2);
  });

  it("counts failures from the start after a success, or when they are forgotten", async () => {
    const queue = start();
    queue.add("a");
    await work.end("a", new Error("1"));
    await clock.advance(100);
    await work.end("a", new Error("2"));
    await clock.advance(200);
    await work.end("a");
    queue.add("a");
    await work.end("a", new Error("3"));
    assert.equal(logged.at(-1)?.["failures"], 1);
    queue.forget("a");
    await clock.advance(100);
    await work.end("a", new Error("4"));
    assert.equal(logged.at(-1)?.["failures"], 1);
  });

  it("does not hold up other keys while one waits after a failure", async () => {
    const queue = start({ workers: 1 });
    queue.add("a");
    await work.end("a", new Error("not now"));
    queue.add("b");
    assert.deepEqual(work.begun, ["a", "b"]);
  });

  it("gives the place of a key that takes long to others", async () => {
    const queue = start({ workers: 10 });
    for (let index = 0; index < 10; index += 1) queue.add(`hung-${index}`);
    queue.add("good");
    assert.ok(!work.begun.includes("good"));
    await clock.advance(1_000);
    assert.ok(work.begun.includes("good"));
    await work.end("hung-3");
    queue.add("better");
    assert.ok(work.begun.includes("better"));
  });

  it("frees no place twice", async () => {
    const queue = start({ workers: 1 });
    queue.add("slow");
    await clock.advance(1_000);
    await work.end("slow");
    for (const key of ["a", "b"]) queue.add(key);
    assert.deepEqual(work.begun, ["slow", "a"]);
  });

  it("ends work that takes too long, and tries again", async () => {
    const queue = start({ timeoutMs: 5_000 });
    queue.add("a");
    await clock.advance(5_000);
    assert.match(String(logged[0]?.["error"]), /failed to process a within 5000 ms/);
    await clock.advance(100);
    assert.deepEqual(work.begun, ["a", "a"]);
  });

  it("adds a key later; of several times the earliest counts", async () => {
    const queue = start();
    queue.addAfter("a", 5_000);
    queue.addAfter("a", 2_000);
    queue.addAfter("a", 8_000);
    await clock.advance(1_999);
    assert.deepEqual(work.begun, []);
    await clock.advance(1);
    assert.deepEqual(work.begun, ["a"]);
    await work.end("a");
    await clock.advance(10_000);
    assert.deepEqual(work.begun, ["a"]);
  });

  it("looks again when the work asks for it, which is no failure", async () => {
    let runs = 0;
    const queue = start({
      process: async () => {
        runs += 1;
        return { requeueAfterMs: 30_000 };
      },
    });
    queue.add("a");
    await turn();
    await clock.advance(29_999);
    assert.equal(runs, 1);
    await clock.advance(1);
    assert.equal(runs, 2);
    assert.deepEqual(logged, []);
  });

  it("says how long the first key has waited", async () => {
    const queue = start({ workers: 1 });
    assert.equal(queue.oldestAgeMs, 0);
    queue.add("a");
    queue.add("b");
    await clock.advance(300);
    queue.add("c");
    await clock.advance(200);
    assert.equal(queue.oldestAgeMs, 500);
  });

  it("drains on abort: begins nothing, ends what is under way, and resolves then", async () => {
    let ended = false;
    const slow = Promise.withResolvers<undefined>();
    const queue = start({ workers: 1, process: () => slow.promise });
    const drained = running[0]?.then(() => {
      ended = true;
    });
    queue.add("a");
    queue.add("b");
    queue.addAfter("c", 10);
    end.abort(new Error("stop"));
    await turn();
    assert.equal(ended, false, "a is under way");
    slow.resolve(undefined);
    await drained;
    queue.add("d");
    queue.addAfter("e", 10);
    await clock.advance(60_000);
    assert.equal(queue.depth, 0);
    assert.equal(queue.processing, 0);
    assert.deepEqual(logged, []);
  });

  it("processes what was added last in any mix of adds, failures and time", async () => {
    const step = fc.record({
      key: fc.constantFrom("a", "b", "c"),
      does: fc.constantFrom("add", "after", "pass", "fail"),
      ms: fc.integer({ min: 0, max: 3_000 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const time = new FakeClock();
        const stop = new AbortController();
        const wanted = new Map<string, number>();
        const done = new Map<string, number>();
        const busy = new Set<string>();
        let isFailing = false;
        const process = async (key: string) => {
          assert.ok(!busy.has(key), "twice at once");
          busy.add(key);
          const seen = wanted.get(key) ?? 0;
          await turn();
          busy.delete(key);
          if (isFailing) throw new Error("not now");
          done.set(key, seen);
          return undefined;
        };
        const deps = { clock: time, random: () => 0.5, log: silentLog };
        const queue = new WorkQueue(deps, { name: "test", process, workers: 2 });
        const run = queue.run(stop.signal);
        for (const { key, does, ms } of steps) {
          isFailing = does === "fail";
          if (does === "add" || does === "after") {
            wanted.set(key, (wanted.get(key) ?? 0) + 1);
            if (does === "add") queue.add(key);
            else queue.addAfter(key, ms);
          } else await time.advance(ms);
        }
        isFailing = false;
        for (let rest = 0; rest < 10; rest += 1) await time.advance(60_000);
        assert.deepEqual(new Map([...done].sort()), new Map([...wanted].sort()));
        stop.abort(new Error("over"));
        await run;
      }),
      { numRuns: 50 },
    );
  });
});
