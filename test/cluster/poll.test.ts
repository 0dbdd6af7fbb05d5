import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { PollTimeoutError, poll } from "./poll.ts";

const never = new AbortController().signal;

describe("test/cluster/poll", () => {
  it("asks again after no answer and after a failure, and returns the first answer", async () => {
    const answers = [
      () => undefined,
      () => {
        throw new Error("connection refused");
      },
      () => "ready",
      () => assert.fail("asked after the answer"),
    ];
    const probe = async (): Promise<string | undefined> => answers.shift()?.();
    const options = { what: "the server ready", timeoutMs: 20_000, signal: never };
    assert.equal(await poll(probe, options), "ready");
  });

  it("gives up in time, with the last failure", async () => {
    const failure = new Error("connection refused");
    const wait = poll(() => Promise.reject(failure), {
      what: "the server ready",
      timeoutMs: 50,
      signal: never,
    });
    await assert.rejects(wait, (error) => {
      assert.ok(error instanceof PollTimeoutError);
      assert.equal(
        error.message,
        "failed to see the server ready within 50 ms: connection refused",
      );
      assert.equal(error.cause, failure);
      return true;
    });
  });

  it("tells a probe under way that the wait is over", async () => {
    const controller = new AbortController();
    const reason = new Error("no longer wanted");
    const wait = poll(
      (signal) =>
        new Promise<undefined>((resolve) => {
          signal.addEventListener("abort", () => {
            resolve(undefined);
          });
          controller.abort(reason);
        }),
      { what: "the server ready", timeoutMs: 20_000, signal: controller.signal },
    );
    await assert.rejects(wait, reason);
  });
});
