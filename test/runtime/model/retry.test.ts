import assert from "node:assert/strict";
import { describe, it } from "mocha";
import {
  type ChatChunk,
  type ChatModel,
  type ChatRequest,
  ModelError,
} from "../../../runtime/model/chat-model.ts";
import { withRetry } from "../../../runtime/model/retry.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { readAll, textIn } from "./chat-model-contract.ts";

const REQUEST: ChatRequest = { messages: [{ role: "user", text: "Hi" }], tools: [] };
const POLICY = { maxAttempts: 3, initialDelayMs: 1_000, maxDelayMs: 1_500 };
const DONE: ChatChunk = {
  type: "done",
  inputTokens: 1,
  outputTokens: 1,
  cachedTokens: 0,
  stop: "end",
};
const open = new AbortController().signal;

const overloaded = () => new ModelError("busy", { code: "overloaded", retryable: true });

/** A provider that answers what its script says, one entry per call. */
class Provider implements ChatModel {
  readonly label = "provider";
  calls = 0;
  readonly #script: readonly (readonly (string | Error)[])[];

  constructor(script: readonly (readonly (string | Error)[])[]) {
    this.#script = script;
  }

  async *chat(): AsyncGenerator<ChatChunk> {
    const step = this.#script[this.calls++] ?? [];
    for (const piece of step) {
      if (piece instanceof Error) throw piece;
      yield { type: "text", text: piece };
    }
    yield DONE;
  }
}

describe("runtime/model/retry", () => {
  it("asks again after a passing failure, waiting longer each time up to the limit", async () => {
    const clock = new FakeClock();
    const provider = new Provider([[overloaded()], [overloaded()], ["hello"]]);
    const started = clock.now();
    const answer = readAll(withRetry(provider, POLICY, clock, () => 0.5).chat(REQUEST, open));
    await clock.advance(0);
    await clock.advance(749);
    assert.equal(provider.calls, 1);
    await clock.advance(1);
    assert.equal(provider.calls, 2);
    await clock.advance(1_125);
    assert.equal(textIn(await answer), "hello");
    assert.equal(clock.now() - started, 1_875);
  });

  it("spreads a wait between half of it and the whole", async () => {
    for (const [random, ms] of [
      [0, 500],
      [0.999, 999.5],
    ] as const) {
      const clock = new FakeClock();
      const provider = new Provider([[overloaded()], ["hello"]]);
      const answer = readAll(withRetry(provider, POLICY, clock, () => random).chat(REQUEST, open));
      await clock.advance(0);
      await clock.advance(ms - 1);
      assert.equal(provider.calls, 1);
      await clock.advance(1);
      await answer;
    }
  });

  it("gives up after the last attempt with its error", async () => {
    const clock = new FakeClock();
    const last = overloaded();
    const provider = new Provider([[overloaded()], [overloaded()], [last], ["too late"]]);
    const rejected = assert.rejects(
      readAll(withRetry(provider, POLICY, clock, () => 0).chat(REQUEST, open)),
      (error) => error === last,
    );
    await clock.advance(0);
    await clock.advance(10_000);
    await rejected;
    assert.equal(provider.calls, 3);
  });

  for (const [claim, step] of [
    ["once a piece came", ["hel", overloaded()]],
    ["what no retry can help", [new ModelError("no", { code: "rejected", retryable: false })]],
    ["an error of our own", [new TypeError("bug")]],
  ] as const)
    it(`does not repeat ${claim}`, async () => {
      const clock = new FakeClock();
      const provider = new Provider([step, ["hello"]]);
      await assert.rejects(
        readAll(withRetry(provider, POLICY, clock, () => 0).chat(REQUEST, open)),
      );
      assert.equal(provider.calls, 1);
      assert.equal(clock.pending, 0);
    });

  it("stops waiting at once with the caller's reason", async () => {
    const clock = new FakeClock();
    const caller = new AbortController();
    const reason = new Error("given up");
    const answer = withRetry(new Provider([[overloaded()]]), POLICY, clock, () => 0);
    const rejected = assert.rejects(
      readAll(answer.chat(REQUEST, caller.signal)),
      (error) => error === reason,
    );
    await clock.advance(0);
    assert.equal(clock.pending, 1);
    caller.abort(reason);
    await rejected;
    assert.equal(clock.pending, 0);
  });

  it("keeps the label", () => {
    assert.equal(withRetry(new Provider([]), POLICY, new FakeClock(), () => 0).label, "provider");
  });
});
