import assert from "node:assert/strict";
import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { afterEach, beforeEach, describe, it } from "mocha";
import { RESOURCES, type WatchEvent } from "../../../runtime/api/cluster.ts";
import { Informer } from "../../../runtime/kube/informer.ts";
import { KubeCluster, type KubeClusterOptions } from "../../../runtime/kube/kube-cluster.ts";
import { silentLog } from "../../../runtime/telemetry/log.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { allOf } from "./all-of.ts";
import { configMap, failureOf } from "./cluster-contract.ts";
import { json, type ScriptedServer, startScriptedServer, statusAnswer } from "./scripted-server.ts";

const open = new AbortController().signal;
const { ConfigMap } = RESOURCES;
const KEY = { namespace: "n", name: "a" };

const object = (name: string, resourceVersion: string) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name, namespace: "n", uid: `uid-${name}`, resourceVersion },
});
const line = (type: string, body: unknown) => `${JSON.stringify({ type, object: body })}\n`;

describe("runtime/kube/kube-cluster", () => {
  let server: ScriptedServer;
  const clusters: KubeCluster[] = [];

  beforeEach(async () => {
    server = await startScriptedServer();
  });
  afterEach(async () => {
    for (const cluster of clusters.splice(0)) cluster.close();
    await server.stop();
  });

  function connect(options: KubeClusterOptions = {}): KubeCluster {
    const cluster = new KubeCluster(server.cluster, options);
    clusters.push(cluster);
    return cluster;
  }
  /** Sends these parts, one packet each, as the answer to a watch. */
  function stream(parts: readonly (string | Buffer)[], end: (response: ServerResponse) => void) {
    server.answer = (_request, response) => {
      response.writeHead(200, { "content-type": "application/json" });
      const [...rest] = parts;
      const next = () => {
        const part = rest.shift();
        if (part === undefined) end(response);
        else response.write(part, () => setImmediate(next));
      };
      next();
    };
  }
  const close = (response: ServerResponse) => void response.end();
  const watch = (cluster: KubeCluster, signal = open) =>
    cluster.watch(ConfigMap, { namespace: "n", resourceVersion: "1" }, signal);
  async function all(events: AsyncIterable<WatchEvent>): Promise<readonly string[]> {
    const told: string[] = [];
    for await (const event of events)
      told.push(
        event.type === "bookmark"
          ? `bookmark ${event.resourceVersion}`
          : `${event.type} ${event.object.metadata.name}`,
      );
    return told;
  }

  describe("requests", () => {
    it("are the ones that the API server knows", async () => {
      const cluster = connect();
      server.answer = (_request, response) => {
        json(response, object("a", "1"));
      };
      const options = { fieldManager: "me", dryRun: "all" } as const;
      await cluster.apply(ConfigMap, configMap("n", "a", {}), options, open);
      await cluster.patchStatus(ConfigMap, KEY, { ready: true }, open);
      await cluster.delete(ConfigMap, { ...KEY, uid: "u" }, open);
      const [apply, patch, remove] = server.requests;
      const path = "/api/v1/namespaces/n/configmaps/a";
      assert.deepEqual(
        [apply?.method, apply?.path, apply?.query, apply?.headers["content-type"]],
        [
          "PATCH",
          path,
          { fieldManager: "me", force: "true", dryRun: "All" },
          "application/apply-patch+yaml",
        ],
      );
      assert.deepEqual(
        [patch?.method, patch?.path, patch?.headers["content-type"], patch?.body],
        ["PATCH", `${path}/status`, "application/merge-patch+json", '{"status":{"ready":true}}'],
      );
      assert.deepEqual([remove?.method, remove?.path], ["DELETE", path]);
      assert.deepEqual(JSON.parse(remove?.body ?? ""), {
        apiVersion: "v1",
        kind: "DeleteOptions",
        propagationPolicy: "Background",
        preconditions: { uid: "u" },
      });
      assert.equal(remove?.headers["content-length"], String(remove?.body.length));
    });

    it("escape names, so that none reaches another path", async () => {
      await failureOf(connect().get(ConfigMap, { namespace: "../x", name: "a/b?c" }, open));
      assert.equal(server.requests[0]?.path, "/api/v1/namespaces/..%2Fx/configmaps/a%2Fb%3Fc");
    });

    for (const [code, more, expected] of [
      [409, { reason: "Conflict" }, "conflict"],
      [409, { reason: "AlreadyExists" }, "exists"],
      [410, { reason: "Expired" }, "expired"],
      [422, { reason: "Invalid" }, "invalid"],
      [403, {}, "forbidden"],
      [401, {}, "unauthorized"],
      [500, {}, "unreachable"],
      [504, {}, "timeout"],
      [404, {}, "not-found"],
    ] as const)
      it(`that fail with ${code} ${"reason" in more ? more.reason : ""} are ${expected}`, async () => {
        server.answer = (_request, response) => {
          statusAnswer(response, code, more);
        };
        const error = await failureOf(connect().create(ConfigMap, configMap("n", "a", {}), open));
        assert.equal(error.code, expected);
        assert.equal(error.message, `status ${code}`);
      });

    it("tell a kind that is not served from an object that is not there", async () => {
      server.answer = (_request, response) => {
        statusAnswer(response, 404, { details: {} });
      };
      assert.equal((await failureOf(connect().get(ConfigMap, KEY, open))).code, "not-found");
      server.answer = (_request, response) => {
        statusAnswer(response, 404, { details: { name: "a", kind: "configmaps" } });
      };
      assert.equal(await connect().get(ConfigMap, KEY, open), undefined);
    });

    it("read the credentials again when they are no longer taken, and repeat the write", async () => {
      server.answer = ({ headers }, response) => {
        if (headers.authorization === "Bearer token-2") json(response, object("a", "1"), 201);
        else statusAnswer(response, 401);
      };
      const created = await connect().create(ConfigMap, configMap("n", "a", {}), open);
      assert.equal(created.metadata.name, "a");
      assert.equal(server.requests.length, 2);
      assert.equal(server.requests[0]?.body, server.requests[1]?.body);
    });

    it("are repeated when a kept connection turns out closed, except creates", async () => {
      const cluster = connect();
      let isClosing = false;
      server.answer = (_request, response, raw) => {
        if (isClosing) raw.socket.destroy();
        else json(response, object("a", "1"));
        isClosing = false;
      };
      await cluster.get(ConfigMap, KEY, open);
      isClosing = true;
      await cluster.get(ConfigMap, KEY, open);
      isClosing = true;
      const error = await failureOf(cluster.create(ConfigMap, configMap("n", "a", {}), open));
      assert.equal(error.code, "unreachable");
    });

    it("have a time limit", async () => {
      server.answer = () => undefined;
      const error = await failureOf(connect({ timeoutMs: 50 }).get(ConfigMap, KEY, open));
      assert.equal(error.code, "timeout");
      assert.match(error.message, /within 0.05 s/);
    });

    for (const body of [
      "<html>",
      "[]",
      "{}",
      '{"apiVersion":"v1","kind":"X","metadata":{"name":"a"}}',
    ])
      it(`take no answer that is no object: ${body}`, async () => {
        server.answer = (_request, response) => {
          response.end(body);
        };
        assert.equal((await failureOf(connect().get(ConfigMap, KEY, open))).code, "invalid");
      });

    it("are not held up by watches", async () => {
      server.answer = ({ query }, response) => {
        if (query["watch"] === "true") response.writeHead(200).flushHeaders();
        else json(response, object("a", "1"));
      };
      const cluster = connect();
      const end = new AbortController();
      const watches = Array.from({ length: 60 }, () =>
        watch(cluster, end.signal)
          .next()
          .catch(() => undefined),
      );
      while (server.requests.length < 60) await new Promise((resolve) => setImmediate(resolve));
      assert.equal((await cluster.get(ConfigMap, KEY, open))?.metadata.name, "a");
      end.abort(new Error("over"));
      await Promise.all(watches);
    });
  });

  describe("list", () => {
    it("begins again when its pages expire, and gives up after three times", async () => {
      let expiries = 1;
      server.answer = ({ query }, response) => {
        const isSecond = query["continue"] === "next";
        if (isSecond && expiries > 0) {
          expiries -= 1;
          statusAnswer(response, 410, { reason: "Expired" });
        } else
          json(response, {
            metadata: { resourceVersion: "9", ...(isSecond ? {} : { continue: "next" }) },
            items: [object(isSecond ? "b" : "a", "1")],
          });
      };
      const { items, resourceVersion } = await connect().list(ConfigMap, {}, open);
      assert.deepEqual(
        items.map(({ metadata }) => metadata.name),
        ["a", "b"],
      );
      assert.equal(resourceVersion, "9");
      assert.equal(server.requests.length, 4);
      expiries = 100;
      assert.equal((await failureOf(connect().list(ConfigMap, {}, open))).code, "expired");
      assert.equal(server.requests.length, 10);
    });
  });

  describe("watch", () => {
    it("asks for bookmarks, a time limit and the selection", async () => {
      stream([], close);
      const selection = { labelSelector: "a=b", fieldSelector: "c=d", resourceVersion: "7" };
      await all(connect({ watchSeconds: 42 }).watch(ConfigMap, selection, open));
      assert.equal(server.requests[0]?.path, "/api/v1/configmaps");
      assert.deepEqual(server.requests[0].query, {
        watch: "true",
        allowWatchBookmarks: "true",
        timeoutSeconds: "42",
        ...selection,
      });
    });

    it("reads events however they are cut into packets", async () => {
      const text = Buffer.from(
        line("ADDED", { ...object("a", "2"), data: { x: "grüße 🎉" } }) +
          line("BOOKMARK", { metadata: { resourceVersion: "3", creationTimestamp: null } }) +
          "\n" +
          line("MODIFIED", object("a", "4")) +
          line("DELETED", object("a", "5")).trimEnd(),
      );
      for (const size of [1, 7, 1_000]) {
        const parts: Buffer[] = [];
        for (let at = 0; at < text.length; at += size) parts.push(text.subarray(at, at + size));
        stream(parts, close);
        assert.deepEqual(
          await all(watch(connect())),
          ["added a", "bookmark 3", "modified a", "deleted a"],
          `packets of ${size}`,
        );
      }
      const [first] = await allOf(watch(connect()));
      assert.ok(first?.type === "added");
      assert.deepEqual(first.object["data"], { x: "grüße 🎉" });
    });

    for (const [what, last, code] of [
      [
        "a forgotten version",
        line("ERROR", { code: 410, reason: "Expired", message: "old" }),
        "expired",
      ],
      ["missing rights", line("ERROR", { code: 403, message: "no" }), "forbidden"],
      ["an error without a code", line("ERROR", { message: "no" }), "unreachable"],
      ["garbage", "<html>\n", "invalid"],
      ["half a line", '{"type":"ADD', "invalid"],
      ["an event of an unknown type", line("RENAMED", object("a", "1")), "invalid"],
      ["an object without a version", line("ADDED", { metadata: { name: "a" } }), "invalid"],
    ] as const)
      it(`fails on ${what}, after the events before it`, async () => {
        stream([line("ADDED", object("a", "2")), last], close);
        const events = watch(connect());
        assert.equal((await events.next()).done, false);
        assert.equal((await failureOf(events.next())).code, code);
      });

    it("fails when the connection breaks", async () => {
      stream([line("ADDED", object("a", "2"))], (response) => response.destroy());
      const events = watch(connect());
      await events.next();
      assert.equal((await failureOf(events.next())).code, "unreachable");
    });

    it("fails when the server does not end it in time", async () => {
      stream([line("ADDED", object("a", "2"))], () => undefined);
      const events = watch(connect({ watchSeconds: 0, watchGraceMs: 100 }));
      await events.next();
      assert.equal((await failureOf(events.next())).code, "timeout");
    });

    it("closes its connection when nobody listens any more", async () => {
      const closed = Promise.withResolvers<undefined>();
      stream([line("ADDED", object("a", "2"))], (response) => {
        response.on("close", () => {
          closed.resolve(undefined);
        });
      });
      for await (const event of watch(connect())) {
        assert.equal(event.type, "added");
        break;
      }
      await closed.promise;
    });
  });

  it("serves an informer through hanging connections", async () => {
    let watches = 0;
    server.answer = ({ query }, response) => {
      if (query["watch"] !== "true") {
        json(response, { metadata: { resourceVersion: "1" }, items: [object("a", "1")] });
        return;
      }
      watches += 1;
      // hangs before its first byte, then in the middle, then works
      if (watches === 1) return;
      response.writeHead(200);
      response.write(watches === 2 ? '{"type":"ADD' : line("ADDED", object("b", "2")));
    };
    const clock = new FakeClock();
    const cluster = connect({ watchSeconds: 0, watchGraceMs: 50 });
    const deps = { cluster, clock, random: () => 0, log: silentLog };
    const informer = new Informer(deps, { type: ConfigMap });
    const end = new AbortController();
    const told = Promise.withResolvers<undefined>();
    informer.onChange(({ name }) => {
      if (name === "b") told.resolve(undefined);
    });
    const run = informer.start(end.signal);
    await informer.synced();
    const limit = AbortSignal.timeout(4_000);
    const isTold = told.promise.then(() => true);
    for (;;) {
      limit.throwIfAborted();
      await clock.advance(500);
      const soon = once(AbortSignal.timeout(10), "abort").then(() => false);
      if (await Promise.race([isTold, soon])) break;
    }
    assert.equal(informer.list().length, 2);
    end.abort(new Error("over"));
    await run;
  });

  describe("tokens", () => {
    for (const [what, status, expected] of [
      [
        "a good one",
        { authenticated: true, audiences: ["kagent"], user: { username: "u", groups: ["g"] } },
        { user: "u", groups: ["g"], audiences: ["kagent"] },
      ],
      ["a bad one", { authenticated: false }, undefined],
      [
        "one of another audience",
        { authenticated: true, audiences: ["x"], user: { username: "u" } },
        undefined,
      ],
      ["audiences not looked at", { authenticated: true, user: { username: "u" } }, undefined],
      ["nobody", { authenticated: true, audiences: ["kagent"], user: {} }, undefined],
    ] as const)
      it(`are reviewed: ${what}`, async () => {
        server.answer = (_request, response) => {
          json(response, { status }, 201);
        };
        assert.deepEqual(await connect().reviewToken("secret", "kagent", open), expected);
        assert.deepEqual((JSON.parse(server.requests[0]?.body ?? "") as { spec: unknown }).spec, {
          token: "secret",
          audiences: ["kagent"],
        });
      });
  });
});
