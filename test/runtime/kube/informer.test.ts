import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import {
  type Cluster,
  type ObjectKey,
  RESOURCES,
  type StoredObject,
  type WatchEvent,
} from "../../../runtime/api/cluster.ts";
import { ClusterError } from "../../../runtime/api/cluster-reader.ts";
import { Informer, type InformerOptions } from "../../../runtime/kube/informer.ts";
import { MemoryCluster } from "../../../runtime/kube/memory-cluster.ts";
import { type Logger, silentLog } from "../../../runtime/telemetry/log.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { configMap } from "./cluster-contract.ts";

const open = new AbortController().signal;
const { ConfigMap } = RESOURCES;
const turn = () => new Promise((resolve) => setImmediate(resolve));

/** What a server does to a watch. */
type WatchFault = (events: AsyncIterable<WatchEvent>) => AsyncIterable<WatchEvent>;

/** A cluster whose connections can be made to fail. */
class UnreliableCluster implements Pick<Cluster, "list" | "watch"> {
  lists = 0;
  watches = 0;
  /** Versions that watches began at. */
  readonly versions: string[] = [];
  listFailure: Error | undefined;
  watchFault: WatchFault = (events) => events;
  readonly #cluster: Cluster;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
  }

  async list(...args: Parameters<Cluster["list"]>): ReturnType<Cluster["list"]> {
    this.lists += 1;
    if (this.listFailure !== undefined) throw this.listFailure;
    return this.#cluster.list(...args);
  }

  watch(...args: Parameters<Cluster["watch"]>): AsyncIterable<WatchEvent> {
    this.watches += 1;
    this.versions.push(args[1].resourceVersion);
    return this.watchFault(this.#cluster.watch(...args));
  }
}

describe("runtime/kube/informer", () => {
  let clock: FakeClock;
  let memory: MemoryCluster;
  let cluster: UnreliableCluster;
  let end: AbortController;
  let told: string[];
  let warnings: string[];
  let log: Logger;
  const running: Promise<void>[] = [];

  beforeEach(() => {
    clock = new FakeClock();
    let ids = 0;
    memory = new MemoryCluster({ clock, newId: () => `uid-${++ids}` });
    cluster = new UnreliableCluster(memory);
    end = new AbortController();
    told = [];
    warnings = [];
    log = {
      ...silentLog,
      warn: (message, fields) => void warnings.push(`${message}: ${String(fields?.["error"])}`),
    };
  });
  afterEach(async () => {
    end.abort(new Error("the test is over"));
    await Promise.all(running.splice(0));
    assert.equal(clock.pending, 0, "timers are left");
  });

  const data = (object: StoredObject | undefined) =>
    object === undefined ? "-" : ((object["data"] as { x?: string }).x ?? "");
  const tell = (key: ObjectKey, old: StoredObject | undefined, now: StoredObject | undefined) => {
    told.push(`${key.namespace ?? ""}/${key.name}: ${data(old)} > ${data(now)}`);
  };
  function start(options: Partial<InformerOptions> = {}): Informer {
    const deps = { cluster, clock, random: () => 0.5, log };
    const informer = new Informer(deps, { type: ConfigMap, ...options });
    informer.onChange(tell);
    running.push(informer.start(end.signal));
    return informer;
  }
  const apply = (name: string, x: string, metadata = {}) =>
    memory.apply(ConfigMap, configMap("n", name, { x }, metadata), { fieldManager: "test" }, open);
  const remove = (name: string) => memory.delete(ConfigMap, { namespace: "n", name }, open);
  const names = (informer: Informer) =>
    informer
      .list()
      .map(({ metadata }) => metadata.name)
      .sort();

  it("lists what is there and follows what happens", async () => {
    await apply("a", "1");
    const informer = start();
    await informer.synced();
    assert.deepEqual(names(informer), ["a"]);
    await apply("a", "2");
    await apply("b", "1");
    await remove("a");
    await turn();
    assert.deepEqual(told, ["n/a: - > 1", "n/a: 1 > 2", "n/b: - > 1", "n/a: 2 > -"]);
    assert.equal(informer.get({ namespace: "n", name: "a" }), undefined);
    assert.equal(data(informer.get({ namespace: "n", name: "b" })), "1");
  });

  it("follows the selection only", async () => {
    await apply("a", "1", { labels: { app: "x" } });
    await apply("b", "1");
    const informer = start({ selection: { labelSelector: "app=x" } });
    await informer.synced();
    assert.deepEqual(names(informer), ["a"]);
    await apply("a", "2", { labels: { app: "y" } });
    await turn();
    assert.deepEqual(names(informer), []);
  });

  it("is not synced before the list is there", async () => {
    cluster.listFailure = new ClusterError("unreachable", "no server");
    const informer = start();
    let isSynced = false;
    const synced = informer.synced().then(() => {
      isSynced = true;
    });
    await turn();
    assert.equal(isSynced, false);
    cluster.listFailure = undefined;
    await clock.advance(2_000);
    await synced;
  });

  it("says to who waits that it never was synced", async () => {
    cluster.listFailure = new ClusterError("unreachable", "no server");
    const informer = start();
    await turn();
    const synced = informer.synced();
    end.abort(new Error("enough"));
    await assert.rejects(synced, /^Error: enough$/);
  });

  it("keeps trying where a list is refused, and waits longer each time", async () => {
    cluster.listFailure = new ClusterError("forbidden", "no rights");
    start();
    await turn();
    const waits: number[] = [];
    for (let failures = 1; failures <= 8; failures += 1) {
      const before = cluster.lists;
      const began = clock.now();
      while (cluster.lists === before) await clock.advance(500);
      waits.push((clock.now() - began) / 1000);
    }
    assert.deepEqual(waits, [1.5, 3, 6, 12, 22.5, 22.5, 22.5, 22.5]);
    assert.match(warnings[0] ?? "", /following failed: .*no rights/);
  });

  it("goes on from the last version when the connection breaks", async () => {
    await apply("a", "1");
    cluster.watchFault = async function* (events) {
      for await (const event of events) {
        yield event;
        throw new ClusterError("unreachable", "connection reset");
      }
    };
    const informer = start();
    await informer.synced();
    for (const name of ["b", "c", "d"]) await apply(name, "1");
    await turn();
    await clock.advance(60_000);
    assert.deepEqual(names(informer), ["a", "b", "c", "d"]);
    assert.deepEqual(cluster.versions, ["1", "2", "3", "4"]);
    assert.equal(cluster.lists, 1, "nothing was listed again");
    assert.equal(told.length, 4, "nothing was told twice");
    assert.match(warnings[0] ?? "", /connection reset/);
  });

  it("waits between watches of a server that closes after each event", async () => {
    const informer = start();
    cluster.watchFault = async function* (events) {
      for await (const event of events) {
        yield event;
        return;
      }
    };
    await informer.synced();
    for (let count = 1; count <= 20; count += 1) await apply("a", String(count));
    await clock.advance(10_000);
    assert.ok(cluster.watches <= 4, `${cluster.watches} watches in 10 s`);
    await clock.advance(600_000);
    assert.equal(data(informer.get({ namespace: "n", name: "a" })), "20");
  });

  it("starts again without waiting after a connection that lived", async () => {
    const ends: (() => void)[] = [];
    cluster.watchFault = async function* () {
      await new Promise<void>((resolve) => ends.push(resolve));
    };
    await start().synced();
    await turn();
    for (let count = 1; count <= 3; count += 1) {
      await clock.advance(60_000);
      ends.at(-1)?.();
      await turn();
      assert.equal(cluster.watches, count + 1);
    }
    ends.at(-1)?.();
    await turn();
    assert.equal(cluster.watches, 4, "a short one is followed by a wait");
  });

  it("lists again when its version is forgotten, and tells what it missed", async () => {
    await apply("a", "1");
    await apply("b", "1");
    await apply("c", "1");
    cluster.watchFault = async function* () {
      // closes at once, and misses what happens
    };
    const informer = start();
    await informer.synced();
    await turn();
    await apply("a", "2");
    await remove("b");
    await apply("d", "1");
    memory.compact();
    told.length = 0;
    cluster.watchFault = (events) => events;
    await clock.advance(30_000);
    assert.equal(cluster.lists, 2);
    assert.deepEqual(told.sort(), ["n/a: 1 > 2", "n/b: 1 > -", "n/d: - > 1"]);
    assert.deepEqual(names(informer), ["a", "c", "d"]);
    assert.deepEqual(warnings, [], "a forgotten version is no failure");
  });

  it("tells an object that was deleted and made again as one change with another uid", async () => {
    await apply("a", "1");
    cluster.watchFault = async function* () {
      // sees nothing
    };
    const informer = start();
    await informer.synced();
    const uids: unknown[] = [];
    informer.onChange((_key, old, now) => uids.push([old?.metadata.uid, now?.metadata.uid]));
    uids.length = 0;
    await remove("a");
    await apply("a", "2");
    memory.compact();
    cluster.watchFault = (events) => events;
    await clock.advance(30_000);
    assert.deepEqual(uids, [["uid-1", "uid-2"]]);
  });

  it("lists again when a version keeps failing", async () => {
    cluster.watchFault = async function* () {
      throw new ClusterError("timeout", "Too large resource version");
    };
    await start().synced();
    while (cluster.watches < 5) await clock.advance(1_000);
    assert.equal(cluster.lists, 1);
    await clock.advance(30_000);
    assert.equal(cluster.lists, 2);
  });

  it("goes on from a bookmark", async () => {
    let sent = false;
    cluster.watchFault = async function* () {
      if (!sent) yield { type: "bookmark", resourceVersion: "7" };
      sent = true;
    };
    await start().synced();
    await turn();
    await clock.advance(2_000);
    assert.deepEqual(cluster.versions.slice(0, 2), ["0", "7"]);
  });

  it("survives a listener that throws, and tells the others", async () => {
    const informer = start();
    await informer.synced();
    informer.onChange(() => {
      throw new Error("broken listener");
    });
    const seen: string[] = [];
    informer.onChange(({ name }) => seen.push(name));
    await apply("a", "1");
    await apply("b", "1");
    await turn();
    assert.deepEqual(seen, ["a", "b"]);
    assert.deepEqual(warnings.length, 2);
    assert.match(warnings[0] ?? "", /listener failed: Error: broken listener/);
  });

  it("tells a late listener what is there, and no listener after it is taken off", async () => {
    await apply("a", "1");
    const informer = start();
    await informer.synced();
    const seen: string[] = [];
    const stop = informer.onChange(({ name }) => seen.push(name));
    assert.deepEqual(seen, ["a"]);
    stop();
    await apply("b", "1");
    await turn();
    assert.deepEqual(seen, ["a"]);
  });

  it("keeps no managed fields, and no more than the caller needs", async () => {
    await apply("a", "1", { managedFields: [{ manager: "x" }], annotations: { long: "text" } });
    const informer = start({
      transform: ({ apiVersion, kind, metadata }) => {
        assert.ok(!("managedFields" in metadata));
        const { annotations: _gone, ...kept } = metadata;
        return { apiVersion, kind, metadata: kept, data: {} };
      },
    });
    await informer.synced();
    assert.deepEqual(informer.get({ namespace: "n", name: "a" })?.metadata.annotations, undefined);
    assert.deepEqual(told, ["n/a: - > "]);
  });

  it("ends when the signal aborts, and opens no watch afterwards", async () => {
    const informer = start();
    await informer.synced();
    await turn();
    const { watches } = cluster;
    end.abort(new Error("stop"));
    await Promise.all(running);
    await clock.advance(60_000);
    assert.equal(cluster.watches, watches);
    assert.deepEqual(warnings, []);
  });

  it("ends while it waits for the next attempt", async () => {
    cluster.listFailure = new ClusterError("unreachable", "no server");
    start();
    await turn();
    end.abort(new Error("stop"));
    await Promise.all(running);
    assert.equal(clock.pending, 0);
  });
});
