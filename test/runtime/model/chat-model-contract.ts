import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { ChatChunk, ChatModel, ChatRequest } from "../../../runtime/model/chat-model.ts";

/** A model with what the suite needs to know of it. */
export interface ContractSubject {
  readonly model: ChatModel;
  /** Makes the model call a tool in its first answer and talk about the result in its second. */
  readonly toolRequest: ChatRequest;
  /** What the tool answers. */
  readonly toolResult: string;
  /** Expected in the text after the tool's answer. */
  readonly mentions: RegExp;
  /** Whether nothing is open any more: connections, timers. */
  readonly idle: () => Promise<void>;
  readonly close: () => Promise<void>;
}

/** Reads an answer to its end. */
export async function readAll(answer: AsyncIterable<ChatChunk>): Promise<readonly ChatChunk[]> {
  const chunks: ChatChunk[] = [];
  for await (const chunk of answer) chunks.push(chunk);
  return chunks;
}

/** Text of an answer, without thoughts. */
export function textIn(chunks: readonly ChatChunk[]): string {
  return chunks.map((chunk) => (chunk.type === "text" ? chunk.text : "")).join("");
}

/** Tool calls of an answer. */
export function callsIn(chunks: readonly ChatChunk[]) {
  return chunks.flatMap((chunk) => (chunk.type === "tool-call" ? [chunk.call] : []));
}

/** The request after the model's tool calls were answered with `result`. */
function withResults(
  request: ChatRequest,
  chunks: readonly ChatChunk[],
  result: string,
): ChatRequest {
  const toolCalls = callsIn(chunks);
  return {
    ...request,
    messages: [
      ...request.messages,
      { role: "assistant", text: textIn(chunks), toolCalls },
      ...toolCalls.map(({ id, name }) => ({
        role: "tool" as const,
        callId: id,
        name,
        text: result,
      })),
    ],
  };
}

const open = new AbortController().signal;

/** What every ChatModel keeps. */
export function chatModelContract(name: string, start: () => Promise<ContractSubject>): void {
  const using = (work: (subject: ContractSubject) => Promise<void>) => async () => {
    const subject = await start();
    try {
      await work(subject);
    } finally {
      await subject.close();
    }
  };

  describe(`${name} as ChatModel`, () => {
    it(
      "ends every answer with exactly one done, after all other pieces",
      using(async ({ model, toolRequest, toolResult }) => {
        const first = await readAll(model.chat(toolRequest, open));
        const second = await readAll(model.chat(withResults(toolRequest, first, toolResult), open));
        for (const chunks of [first, second]) {
          const kinds = chunks.map(({ type }) => type);
          assert.equal(kinds.indexOf("done"), kinds.length - 1, kinds.join());
        }
      }),
    );

    it(
      "calls a tool by its described name with an id of its own and uses the result",
      using(async ({ model, toolRequest, toolResult, mentions }) => {
        const first = await readAll(model.chat(toolRequest, open));
        const calls = callsIn(first);
        assert.ok(calls.length > 0, "no tool was called");
        for (const call of calls) {
          assert.ok(toolRequest.tools.some((tool) => tool.name === call.name));
          assert.equal(typeof call.args, "object");
        }
        assert.equal(new Set(calls.map(({ id }) => id)).size, calls.length);
        const next = withResults(toolRequest, first, toolResult);
        assert.match(textIn(await readAll(model.chat(next, open))), mentions);
      }),
    );

    it(
      "counts tokens as whole numbers from 0",
      using(async ({ model, toolRequest }) => {
        const done = (await readAll(model.chat(toolRequest, open))).at(-1);
        assert.ok(done?.type === "done");
        for (const count of [done.inputTokens, done.outputTokens, done.cachedTokens])
          assert.ok(Number.isInteger(count) && count >= 0);
      }),
    );

    it(
      "rejects with the signal's own reason when it aborted before the start, opening nothing",
      using(async ({ model, toolRequest, idle }) => {
        const reason = new Error("given up");
        await assert.rejects(
          readAll(model.chat(toolRequest, AbortSignal.abort(reason))),
          (error) => error === reason,
        );
        await idle();
      }),
    );

    it(
      "rejects with the signal's own reason after a piece and leaves nothing open",
      using(async ({ model, toolRequest, toolResult, idle }) => {
        const first = await readAll(model.chat(toolRequest, open));
        const caller = new AbortController();
        const reason = new Error("given up");
        const answer = model.chat(withResults(toolRequest, first, toolResult), caller.signal);
        await assert.rejects(
          (async () => {
            for await (const chunk of answer) {
              assert.notEqual(chunk.type, "done", "the answer has to come in several pieces");
              caller.abort(reason);
            }
          })(),
          (error) => error === reason,
        );
        await idle();
      }),
    );

    it(
      "leaves nothing open when its reader turns away",
      using(async ({ model, toolRequest, toolResult, idle }) => {
        const first = await readAll(model.chat(toolRequest, open));
        for await (const chunk of model.chat(withResults(toolRequest, first, toolResult), open)) {
          assert.equal(typeof chunk.type, "string");
          break;
        }
        await idle();
      }),
    );

    it(
      "names itself",
      using(async ({ model }) => {
        assert.match(model.label, /\S/);
      }),
    );
  });
}
