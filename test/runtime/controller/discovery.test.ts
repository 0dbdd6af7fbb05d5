import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { ToolServerSettings } from "../../../runtime/api/agent-config.ts";
import type { ToolDescription } from "../../../runtime/api/tool.ts";
import { ToolDiscovery } from "../../../runtime/controller/discovery.ts";
import { silentLog } from "../../../runtime/telemetry/log.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const ref = (name: string) => ({ namespace: "kagent", name });
const settings = (name: string, url = `http://${name}/mcp`): ToolServerSettings => ({
  ref: ref(name),
  url,
  protocol: "STREAMABLE_HTTP",
  timeoutMs: 30_000,
  sseReadTimeoutMs: 300_000,
  terminateOnClose: true,
  headers: {},
});
const tool: ToolDescription = { name: "t", description: "d", inputSchema: { type: "object" } };

type Ask = (server: ToolServerSettings, signal: AbortSignal) => Promise<readonly ToolDescription[]>;

class Fixture {
  readonly clock = new FakeClock();
  readonly asked: string[] = [];
  readonly told: string[] = [];
  readonly stop = new AbortController();
  readonly discovery: ToolDiscovery;
  readonly ended: Promise<void>;

  constructor(ask: Ask) {
    this.discovery = new ToolDiscovery({
      tools: {
        listTools: (server, signal) => {
          this.asked.push(server.ref.name);
          return ask(server, signal);
        },
      },
      clock: this.clock,
      log: silentLog,
      random: () => 0.5,
      intervalMs: 60_000,
      onResult: ({ name }) => this.told.push(name),
    });
    this.ended = this.discovery.run(this.stop.signal);
  }

  async close(): Promise<void> {
    this.stop.abort(new Error("over"));
    await this.ended;
  }
}

const hang: Ask = () => new Promise(() => undefined);

describe("runtime/controller/ToolDiscovery", () => {
  it("finds the tools of a good server at once beside any number of hanging ones", async () => {
    const all = new Fixture(({ ref: { name }, ...rest }, signal) =>
      name.startsWith("good") ? Promise.resolve([tool]) : hang({ ref: ref(name), ...rest }, signal),
    );
    for (let at = 0; at < 10; at++) all.discovery.watch(ref(`hung${at}`), settings(`hung${at}`));
    all.discovery.watch(ref("good"), settings("good"));
    await all.clock.advance(0);
    assert.deepEqual(all.told, ["good"]);
    for (let at = 10; at < 100; at++) all.discovery.watch(ref(`hung${at}`), settings(`hung${at}`));
    all.discovery.watch(ref("good-too"), settings("good-too"));
    await all.clock.advance(5_000);
    assert.deepEqual(all.told, ["good", "good-too"]);
    await all.close();
    assert.equal(all.clock.pending, 0);
  });

  it("asks again after the interval, and after failures at longer and longer intervals", async () => {
    let fails = true;
    const all = new Fixture(() =>
      fails ? Promise.reject(new Error("down")) : Promise.resolve([tool]),
    );
    assert.equal(all.discovery.watch(ref("s"), settings("s")), undefined);
    await all.clock.advance(0);
    assert.deepEqual(all.discovery.watch(ref("s"), settings("s")), { ok: false, message: "down" });
    const times: number[] = [];
    for (let second = 0; second < 200; second++) {
      const before = all.asked.length;
      await all.clock.advance(1_000);
      if (all.asked.length > before) times.push(second);
    }
    assert.ok(times.length >= 4 && times.length <= 8, String(times));
    fails = false;
    await all.clock.advance(60_000);
    assert.deepEqual(all.discovery.watch(ref("s"), settings("s")), { ok: true, tools: [tool] });
    const before = all.asked.length;
    await all.clock.advance(66_000);
    assert.equal(all.asked.length, before + 1);
    await all.close();
  });

  it("asks at once when the settings change, and drops the answer to the old ones", async () => {
    const answers: ((tools: readonly ToolDescription[]) => void)[] = [];
    const all = new Fixture(() => new Promise((resolve) => answers.push(resolve)));
    all.discovery.watch(ref("s"), settings("s"));
    await all.clock.advance(0);
    assert.equal(all.discovery.watch(ref("s"), settings("s", "http://new/mcp")), undefined);
    answers[0]?.([tool]);
    await all.clock.advance(0);
    await all.clock.advance(0);
    assert.deepEqual([all.asked, all.told], [["s", "s"], []]);
    answers[1]?.([]);
    await all.clock.advance(0);
    assert.deepEqual(all.told, ["s"]);
    await all.close();
  });

  it("takes a question back when nobody wants the answer any more", async () => {
    let aborted = false;
    const all = new Fixture(
      (_server, signal) =>
        new Promise((_, reject) => {
          signal.addEventListener("abort", () => {
            aborted = true;
            reject(signal.reason as Error);
          });
        }),
    );
    all.discovery.watch(ref("s"), settings("s"));
    await all.clock.advance(0);
    all.discovery.forget(ref("s"));
    await all.clock.advance(100_000);
    assert.deepEqual([aborted, all.asked, all.told], [true, ["s"], []]);
    await all.close();
  });
});
