import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { ChatChunk, ChatModel } from "../../../runtime/model/chat-model.ts";
import { systemClock } from "../../../runtime/process/clock.ts";
import type { Store } from "../../../runtime/store/open-store.ts";
import { silentLog } from "../../../runtime/telemetry/log.ts";
import { Tasks } from "../../../runtime/worker/tasks.ts";
import { agentConfig } from "../../support/agent-config.ts";
import { ScriptedModel } from "../../support/scripted-model.ts";
import { Outside } from "../worker/turn-harness.ts";

const CHUNKS = 1000;
const CHUNK = "some words of an answer ";
const AGENT = { namespace: "kagent", name: "tester" };

/** Streams its answer in {@link CHUNKS} pieces. */
const streaming: ChatModel = {
  label: "streaming",
  async *chat(): AsyncGenerator<ChatChunk, void, void> {
    for (let chunk = 0; chunk < CHUNKS; chunk++) {
      yield { type: "text", text: CHUNK };
      await Promise.resolve();
    }
    yield { type: "done", inputTokens: 10, outputTokens: CHUNKS, cachedTokens: 0, stop: "end" };
  },
};

/** A store on its way through a turn. */
export interface Streamed {
  readonly store: Store;
  /** Every row of every table, once the store is closed. */
  readonly rows: () => Promise<readonly Readonly<Record<string, unknown>>[]>;
}

/** What a turn may write into a store (kagent-api section 5, line 22). */
export function streamingContract(name: string, open: () => Promise<Streamed>): void {
  describe(`${name} and a streamed answer`, () => {
    it(`writes and keeps at most 1.2 times the bytes of an answer of ${CHUNKS} chunks`, async () => {
      const { store, rows } = await open();
      let written = 0;
      const sessions: Store["sessions"] = {
        ...store.sessions,
        append: (contextId, events) => {
          written += Buffer.byteLength(JSON.stringify(events));
          return store.sessions.append(contextId, events);
        },
      };
      const config = agentConfig();
      const tasks = new Tasks({
        ...new Outside().deps(new ScriptedModel()),
        model: () => Promise.resolve(streaming),
        clock: systemClock,
        newId: () => crypto.randomUUID(),
        sessions,
        config: () => config,
        log: silentLog,
      });
      let partials = 0;
      try {
        const question = { agent: AGENT, messageId: "m", parts: [{ text: "why?" }], metadata: {} };
        const running = await tasks.send(question, { user: "ann", headers: {} });
        for await (const update of running.updates) if (update.kind === "partial") partials += 1;
      } finally {
        await tasks.close();
        await store.close();
      }
      const answer = Buffer.byteLength(CHUNK) * CHUNKS;
      const stored = (await rows()).reduce((sum, row) => sum + bytesOf(row), 0);
      assert.equal(partials, CHUNKS);
      assert.ok(stored > answer && stored <= 1.2 * answer, `${stored} stored of ${answer}`);
      assert.ok(written > answer && written <= 1.2 * answer, `${written} written of ${answer}`);
    });
  });
}

function bytesOf(row: Readonly<Record<string, unknown>>): number {
  return Object.values(row).reduce<number>(
    (sum, value) =>
      sum +
      (value === null
        ? 0
        : Buffer.byteLength(value instanceof Uint8Array ? value : JSON.stringify(value))),
    0,
  );
}
