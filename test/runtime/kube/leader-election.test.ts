import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import { type Cluster, RESOURCES } from "../../../runtime/api/cluster.ts";
import { ClusterError } from "../../../runtime/api/cluster-reader.ts";
import { LeaderElection, LeadershipLostError } from "../../../runtime/kube/leader-election.ts";
import { MemoryCluster } from "../../../runtime/kube/memory-cluster.ts";
import { silentLog } from "../../../runtime/telemetry/log.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const open = new AbortController().signal;
const { Lease } = RESOURCES;
const KEY = { namespace: "kagent", name: "controller" };
const turn = () => new Promise((resolve) => setImmediate(resolve));

type LeaseCluster = Pick<Cluster, "get" | "create" | "update">;

/** A connection of one candidate that can be cut: requests fail at once, or never come back. */
class Connection implements LeaseCluster {
  state: "good" | "cut" | "hanging" = "good";
  requests = 0;
  readonly #cluster: LeaseCluster;

  constructor(cluster: LeaseCluster) {
    this.#cluster = cluster;
  }

  get(...args: Parameters<Cluster["get"]>): ReturnType<Cluster["get"]> {
    return this.#through(() => this.#cluster.get(...args));
  }
  create(...args: Parameters<Cluster["create"]>): ReturnType<Cluster["create"]> {
    return this.#through(() => this.#cluster.create(...args));
  }
  update(...args: Parameters<Cluster["update"]>): ReturnType<Cluster["update"]> {
    return this.#through(() => this.#cluster.update(...args));
  }

  async #through<T>(work: () => Promise<T>): Promise<T> {
    this.requests += 1;
    if (this.state === "cut") throw new ClusterError("unreachable", "cut");
    if (this.state === "hanging") await new Promise(() => undefined);
    return work();
  }
}

describe("runtime/kube/leader-election", () => {
  let clock: FakeClock;
  let cluster: MemoryCluster;
  /** Who began and ended to lead, and why. */
  let history: string[];
  const stops: (() => Promise<void>)[] = [];

  beforeEach(() => {
    clock = new FakeClock();
    let ids = 0;
    cluster = new MemoryCluster({ clock, newId: () => `uid-${++ids}` });
    history = [];
  });
  afterEach(async () => {
    await Promise.all(stops.splice(0).map((stop) => stop()));
    assert.equal(clock.pending, 0, "timers are left");
  });

  /** A candidate; its work ends with its signal, `endMs` later. */
  function candidate(identity: string, endMs = 0) {
    const connection = new Connection(cluster);
    const end = new AbortController();
    let signal: AbortSignal | undefined;
    let finish: (error?: Error) => void = () => undefined;
    const onLead = async (until: AbortSignal) => {
      signal = until;
      history.push(`${identity} leads`);
      const over = Promise.withResolvers<undefined>();
      finish = (error) => {
        if (error === undefined) over.resolve(undefined);
        else over.reject(error);
      };
      until.addEventListener("abort", () => {
        if (endMs === 0) finish();
        else
          clock.schedule(endMs, () => {
            finish();
          });
      });
      await over.promise.finally(() => history.push(`${identity} ends`));
    };
    const deps = { cluster: connection, clock, log: silentLog };
    const election = new LeaderElection(deps, { lease: KEY, identity, onLead });
    const run = election.run(end.signal);
    const stop = async () => {
      end.abort(new Error("stop"));
      connection.state = "good";
      // what hangs ends by its time limit
      let isOver = false;
      void run.then(() => {
        isOver = true;
      });
      await turn();
      const ended = () => isOver;
      while (!ended()) await clock.advance(1_000);
    };
    stops.push(stop);
    return {
      connection,
      election,
      stop,
      signal: () => signal,
      finish: (error?: Error) => {
        finish(error);
      },
    };
  }
  const lease = async () => {
    const spec = (await cluster.get(Lease, KEY, open))?.["spec"];
    return spec as {
      holderIdentity: string;
      leaseTransitions: number;
      renewTime: string;
      leaseDurationSeconds: number;
    };
  };
  /** Moves time second by second: one advance lets a promise settle between two timers only. */
  const pass = async (seconds: number) => {
    for (let count = 0; count < seconds * 2; count += 1) await clock.advance(500);
  };
  /** Seconds until `isTrue`. */
  const secondsUntil = async (isTrue: () => boolean) => {
    const began = clock.now();
    while (!isTrue()) {
      assert.ok(clock.now() - began < 120_000, "never");
      await clock.advance(100);
    }
    return (clock.now() - began) / 1000;
  };

  it("leads at once where nobody does, and writes who and for how long", async () => {
    const one = candidate("one");
    await turn();
    assert.equal(one.election.isLeader, true);
    const { renewTime, ...spec } = await lease();
    assert.equal(renewTime, "2026-01-01T00:00:00.000000Z");
    assert.deepEqual(spec, {
      holderIdentity: "one",
      leaseDurationSeconds: 15,
      leaseTransitions: 0,
      acquireTime: "2026-01-01T00:00:00.000000Z",
    });
  });

  it("has one leader among many candidates, who stays", async () => {
    for (const identity of ["one", "two", "three"]) candidate(identity);
    await turn();
    await pass(60);
    assert.deepEqual(history, ["one leads"]);
    assert.equal((await lease()).renewTime, "2026-01-01T00:01:00.000000Z");
  });

  it("hands over at once when the leader stops", async () => {
    const one = candidate("one");
    await turn();
    const two = candidate("two");
    await pass(30);
    await one.stop();
    assert.equal((await lease()).holderIdentity, "");
    assert.ok((await secondsUntil(() => two.election.isLeader)) <= 2);
    assert.deepEqual(history, ["one leads", "one ends", "two leads"]);
    assert.equal((await lease()).leaseTransitions, 1);
  });

  it("hands over within 20 s when the leader is gone without a word", async () => {
    const one = candidate("one");
    await turn();
    const two = candidate("two");
    await pass(30);
    // a killed process sends nothing any more
    one.connection.state = "hanging";
    const seconds = await secondsUntil(() => two.election.isLeader);
    assert.ok(seconds > 12 && seconds <= 20, `${seconds} s`);
  });

  it("takes no lease of a leader whose clock is wrong", async () => {
    await cluster.create(
      Lease,
      {
        apiVersion: "coordination.k8s.io/v1",
        kind: "Lease",
        metadata: KEY,
        spec: {
          holderIdentity: "elsewhere",
          leaseDurationSeconds: 15,
          renewTime: "1999-01-01T00:00:00.000000Z",
        },
      },
      open,
    );
    const one = candidate("one");
    await pass(14);
    assert.equal(one.election.isLeader, false);
    await pass(3);
    assert.equal(one.election.isLeader, true);
  });

  for (const state of ["cut", "hanging"] as const)
    it(`stops the work before anybody else may lead (connection ${state})`, async () => {
      const one = candidate("one", 3_000);
      await turn();
      const two = candidate("two");
      await pass(10);
      one.connection.state = state;
      assert.ok((await secondsUntil(() => one.signal()?.aborted === true)) <= 10);
      assert.ok(one.signal()?.reason instanceof LeadershipLostError);
      assert.equal(one.election.isLeader, false);
      await secondsUntil(() => two.election.isLeader);
      assert.deepEqual(history, ["one leads", "one ends", "two leads"]);
    });

  it("keeps leading through failures that are shorter than the deadline", async () => {
    const one = candidate("one");
    candidate("two");
    await pass(10);
    for (let round = 0; round < 5; round += 1) {
      one.connection.state = round % 2 === 0 ? "cut" : "hanging";
      await pass(4);
      one.connection.state = "good";
      await pass(6);
    }
    assert.deepEqual(history, ["one leads"]);
  });

  it("stops at once when somebody else holds the lease", async () => {
    const one = candidate("one");
    await turn();
    const read = await cluster.get(Lease, KEY, open);
    assert.ok(read);
    const spec = { ...(read["spec"] as object), holderIdentity: "by hand" };
    await cluster.update(Lease, { ...read, spec }, open);
    await pass(3);
    assert.equal(one.election.isLeader, false);
    assert.equal(one.signal()?.aborted, true);
  });

  it("does not give the lease away before the work has ended", async () => {
    const one = candidate("one", 20_000);
    await turn();
    const two = candidate("two");
    await pass(5);
    const stopped = one.stop();
    await secondsUntil(() => two.election.isLeader);
    await stopped;
    assert.deepEqual(history, ["one leads", "one ends", "two leads"]);
  });

  it("competes again after it lost", async () => {
    const one = candidate("one");
    await turn();
    one.connection.state = "cut";
    await pass(12);
    assert.deepEqual(history, ["one leads", "one ends"]);
    one.connection.state = "good";
    await pass(5);
    assert.deepEqual(history, ["one leads", "one ends", "one leads"]);
  });

  for (const error of [undefined, new Error("broken")])
    it(`gives the lease away when the work ends by itself (${String(error)})`, async () => {
      const one = candidate("one");
      await turn();
      const two = candidate("two");
      await pass(5);
      one.finish(error);
      await pass(4);
      assert.equal(history[1], "one ends");
      assert.equal(one.election.isLeader || two.election.isLeader, true);
      assert.equal(history.length, 3);
    });

  it("takes a lease that was made by hand, and one of its own from before", async () => {
    const spec = { holderIdentity: "one" };
    await cluster.create(
      Lease,
      { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: KEY, spec },
      open,
    );
    const one = candidate("one");
    await turn();
    assert.equal(one.election.isLeader, true);
  });

  it("asks rarely: two requests in two seconds as leader, one as candidate", async () => {
    const one = candidate("one");
    await turn();
    const two = candidate("two");
    await turn();
    one.connection.requests = 0;
    two.connection.requests = 0;
    await pass(20);
    assert.ok(one.connection.requests <= 20, String(one.connection.requests));
    assert.ok(two.connection.requests <= 11, String(two.connection.requests));
  });
});
