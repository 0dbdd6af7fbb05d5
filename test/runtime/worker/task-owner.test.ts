import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { RunOwner } from "../../../runtime/store/session-store.ts";
import { silentLog } from "../../../runtime/telemetry/log.ts";
import { TaskOwner } from "../../../runtime/worker/task-owner.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const owner = { id: "pod/1", url: "http://10.0.0.7:8080" };

/** A store that remembers what it was told, and can be away. */
class Told {
  readonly log: string[] = [];
  away = false;

  async heartbeat({ id, url }: RunOwner): Promise<void> {
    if (this.away) throw new Error("away");
    this.log.push(`alive ${id} ${url}`);
  }
  async claimTask(task: string, id: string): Promise<void> {
    if (this.away) throw new Error("away");
    this.log.push(`${id} runs ${task}`);
  }
}

describe("runtime/worker/TaskOwner", () => {
  const setup = () => {
    const clock = new FakeClock();
    const sessions = new Told();
    const subject = new TaskOwner({ clock, sessions, log: silentLog, owner });
    return { clock, sessions, subject };
  };

  it("beats at once and every 5 s until it is stopped", async () => {
    const { clock, sessions, subject } = setup();
    await subject.start(async () => undefined);
    assert.equal(sessions.log.length, 1);
    await clock.advance(4_999);
    assert.equal(sessions.log.length, 1);
    await clock.advance(15_001);
    assert.equal(sessions.log.length, 5);
    subject.stop();
    await clock.advance(60_000);
    assert.equal(sessions.log.length, 5);
    assert.equal(clock.pending, 0);
  });

  it("introduces itself before its first claim", async () => {
    const { sessions, subject } = setup();
    await subject.claim("a");
    await subject.claim("b");
    assert.deepEqual(sessions.log, [`alive pod/1 ${owner.url}`, "pod/1 runs a", "pod/1 runs b"]);
  });

  it("goes on when the store is away, and introduces itself again afterwards", async () => {
    const { clock, sessions, subject } = setup();
    sessions.away = true;
    let also = 0;
    await subject.start(async () => {
      also += 1;
      throw new Error("also away");
    });
    await subject.claim("a");
    await clock.advance(10_000);
    assert.equal(also, 2);
    sessions.away = false;
    await subject.claim("b");
    assert.deepEqual(sessions.log.slice(-2), [`alive pod/1 ${owner.url}`, "pod/1 runs b"]);
    subject.stop();
  });
});
