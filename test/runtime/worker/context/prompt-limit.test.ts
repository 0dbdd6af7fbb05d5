import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import type { AgentConfig } from "../../../../runtime/api/agent-config.ts";
import { contextBudget } from "../../../../runtime/api/context-budget.ts";
import type { EventBody } from "../../../../runtime/api/events.ts";
import type { ChatMessage, ChatRequest } from "../../../../runtime/model/chat-model.ts";
import { agentConfig, serverUse } from "../../../support/agent-config.ts";
import type { ScriptedModel } from "../../../support/scripted-model.ts";
import { Conversation } from "../turn-harness.ts";
import { CountingModel, call, logOf, modelOf, result, type Step, says, World } from "./worlds.ts";

const limits = { ...agentConfig().limits, maxModelCalls: 500, maxToolCalls: 5_000 };
const configOf = (over: Partial<AgentConfig>): AgentConfig =>
  agentConfig({ toolServers: [serverUse()], limits, ...over });
const promptLimit = (config: AgentConfig): number => contextBudget(config.model)?.prompt ?? 0;

/** Whether every call has its result right behind it, in order. */
function paired(messages: readonly ChatMessage[]): boolean {
  let expected: string[] = [];
  return (
    messages.every((message) => {
      if (message.role === "tool") return message.callId === expected.shift();
      if (expected.length > 0) return false;
      if (message.role === "assistant") expected = message.toolCalls.map(({ id }) => id);
      return true;
    }) && expected.length === 0
  );
}

function talkWith(
  config: AgentConfig,
  model: CountingModel,
  answer = "",
  summarizer = new CountingModel(() => ({})),
): Conversation {
  const world = new World();
  world.models.set("m", model);
  world.models.set("s", summarizer);
  world.answer = () => Promise.resolve({ ok: true, parts: [{ text: answer }] });
  return new Conversation(config, model as unknown as ScriptedModel, world);
}

function questionOf({ messages }: ChatRequest): string {
  return messages.findLast(({ role }) => role === "user")?.text ?? "";
}

describe("runtime/worker/context prompt", () => {
  for (const summarises of ["without compaction", "dropping", "with a summarizer"] as const)
    it(`stays within 8k over 100 results of 8 KB in one turn, ${summarises}`, async () => {
      const model = new CountingModel((index) =>
        index < 100 ? { calls: [["k8s_get", { index }]] } : { text: "done" },
      );
      const config = configOf({
        model: modelOf(8_192),
        ...(summarises === "without compaction"
          ? {}
          : {
              compaction: {
                interval: 5,
                overlap: 2,
                tokenThreshold: 24_000,
                ...(summarises === "dropping"
                  ? {}
                  : { summarizer: { model: modelOf(4_096, "s") } }),
              },
            }),
      });
      const yaml = "name: web-7f9c  status: CrashLoopBackOff restarts: 12\n".repeat(150);
      const summarizer = new CountingModel(() => ({ text: "pods of web crash" }));
      const talk = talkWith(config, model, yaml.slice(0, 8_192), summarizer);
      const outcome = await talk.send("why do the pods crash?");
      assert.equal(outcome.state, "completed");
      assert.equal(model.requests.length, 101);
      assert.ok(Math.max(...model.counted) <= promptLimit(config), `${Math.max(...model.counted)}`);
      assert.ok(Math.max(0, ...summarizer.counted) <= 4_096 - 1_024);
      assert.ok(model.requests.every(({ messages }) => paired(messages)));
      assert.ok(
        model.requests.every((request) => questionOf(request) === "why do the pods crash?"),
      );
      const compactions = talk.bodies.filter(({ type }) => type === "compaction").length;
      assert.ok(compactions > 5 && compactions < 70, `${compactions} compactions`);
      assert.equal(summarizer.requests.length > 0, summarises === "with a summarizer");
      const newest = model.requests.at(-1)?.messages.findLast(({ role }) => role === "tool")?.text;
      assert.ok((newest ?? "").length >= 3_000, "the newest result is worth reading");
    });

  it("stays within the window when the model counts more than was estimated, once it was seen", async () => {
    const model = new CountingModel(
      (index) => (index < 60 ? { calls: [["k8s_get", { index }]] } : { text: "done" }),
      1.7,
    );
    const config = configOf({ model: modelOf(16_384) });
    const talk = talkWith(config, model, "pod web-1 is failing\n".repeat(100));
    assert.equal((await talk.send("why?")).state, "completed");
    assert.ok(Math.max(...model.counted) <= promptLimit(config), `${Math.max(...model.counted)}`);
    assert.ok(Math.max(...model.counted) > 0.6 * promptLimit(config));
  });

  it("uses the room that measuring finds when the model counts less", async () => {
    const largest = async (density: number): Promise<number> => {
      const model = new CountingModel(
        (index) => (index < 80 ? { calls: [["k8s_get", { index }]] } : { text: "done" }),
        density,
      );
      const talk = talkWith(configOf({ model: modelOf(16_384) }), model, "all well\n".repeat(60));
      await talk.send("why?");
      return Math.max(...model.requests.map(({ messages }) => messages.length));
    };
    assert.ok((await largest(0.6)) > 1.4 * (await largest(1)));
  });

  const text = (max: number) =>
    fc
      .tuple(fc.string({ unit: "grapheme", maxLength: 40 }), fc.nat(max))
      .map(([seed, length]) => (seed === "" ? "x" : seed).repeat(length).slice(0, length));
  const turn = fc.record({
    question: text(6_000),
    steps: fc.array(
      fc.record({
        said: text(2_000),
        calls: fc.array(
          fc.record({ arg: text(3_000), answer: fc.option(text(20_000), { freq: 8 }) }),
          { maxLength: 12 },
        ),
      }),
      { maxLength: 4 },
    ),
    answer: text(4_000),
    state: fc.constantFrom("completed" as const, "canceled" as const),
  });
  const compaction = fc.tuple(fc.nat(60), fc.nat(40), text(500));

  it("never exceeds the window, whatever the session, the question, the results and the calls", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.record({
          turns: fc.array(turn, { maxLength: 6 }),
          compactions: fc.array(compaction, { maxLength: 3 }),
          window: fc.integer({ min: 300, max: 12_000 }),
          instruction: text(3_000),
          question: text(15_000),
          density: fc.double({ min: 0.3, max: 1, noNaN: true }),
          parallel: fc.integer({ min: 1, max: 60 }),
          rounds: fc.integer({ min: 0, max: 4 }),
          arg: text(4_000),
          answer: text(30_000),
          retention: fc.option(fc.nat(30), { nil: undefined }),
          declared: fc.option(fc.nat(30_000), { nil: undefined }),
          summary: fc.option(text(3_000), { nil: undefined }),
        }),
        async (given) => {
          const { turns, rounds, parallel, arg, question } = given;
          const next = (index: number): Step =>
            index >= rounds
              ? { text: "done" }
              : {
                  calls: Array.from({ length: parallel }, (_, n) => ["k8s_get", { index, n, arg }]),
                };
          const model = new CountingModel(next, given.density);
          const summarizer = { model: modelOf(2_000, "s") };
          const config = configOf({
            model: modelOf(given.window),
            instruction: given.instruction,
            compaction: {
              interval: 2,
              overlap: 1,
              ...(given.declared === undefined ? {} : { tokenThreshold: given.declared }),
              ...(given.retention === undefined ? {} : { eventRetention: given.retention }),
              ...(given.summary === undefined ? {} : { summarizer }),
            },
          });
          const summaries = new CountingModel(() => ({ text: given.summary ?? "" }));
          const talk = talkWith(config, model, given.answer, summaries);
          const bodies = turns.flatMap((each, at) => eventsOf(each, `task-${at}`));
          for (const [from, length, summary] of given.compactions) {
            const toSeq = Math.min(from + 1 + length, bodies.length);
            bodies.push(["task-0", { type: "compaction", fromSeq: from + 1, toSeq, summary }]);
          }
          talk.events.push(...logOf(...bodies));
          const outcome = await talk.send(`${question}?`);
          const limit = promptLimit(config);
          for (const counted of model.counted) assert.ok(counted <= limit, `${counted} > ${limit}`);
          for (const counted of summaries.counted) assert.ok(counted <= 1_500);
          assert.ok(model.requests.every(({ messages }) => paired(messages)));
          if (outcome.state === "completed") {
            assert.equal(model.requests.length, rounds + 1);
            const system = model.requests.at(-1)?.messages[0];
            assert.equal(system?.text, given.instruction);
            assert.ok(model.requests.at(-1)?.messages.some((m) => m.text === `${question}?`));
          } else assert.equal(outcome.error?.code, "CONTEXT_TOO_LARGE");
        },
      ),
      { numRuns: 80 },
    );
  }).timeout(60_000);

  it("says what to change when the question alone is too large, and asks no model", async () => {
    const model = new CountingModel(() => ({ text: "x" }));
    const talk = talkWith(configOf({ model: modelOf(2_048) }), model);
    const { error } = await talk.send("pod ".repeat(4_000));
    assert.equal(error?.code, "CONTEXT_TOO_LARGE");
    assert.match(error.message, /shorter message.*raise contextWindow.*ModelConfig kagent\/m/);
    assert.equal(model.requests.length, 0);
  });
});

interface GivenTurn {
  readonly question: string;
  readonly steps: readonly {
    readonly said: string;
    readonly calls: readonly { readonly arg: string; readonly answer: string | null }[];
  }[];
  readonly answer: string;
  readonly state: "completed" | "canceled";
}

function eventsOf(turn: GivenTurn, task: string): [string, EventBody][] {
  const steps = turn.steps.flatMap(({ said, calls }, step) => {
    const ids = calls.map((_, index) => `${task}-${step}-${index}`);
    return [
      says("agent", said),
      ...calls.map(({ arg }, index) => call(ids[index] ?? "", { arg })),
      ...calls.flatMap(({ answer }, index) =>
        answer === null ? [] : [result(ids[index] ?? "", answer)],
      ),
    ];
  });
  return [
    says("user", turn.question),
    ...steps,
    says("agent", turn.answer),
    { type: "status" as const, state: turn.state },
  ].map((body): [string, EventBody] => [task, body]);
}
