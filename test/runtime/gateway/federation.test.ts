import assert from "node:assert/strict";
import fc from "fast-check";
import { beforeEach, describe, it } from "mocha";
import type { ToolDescription } from "../../../runtime/api/tool.ts";
import {
  type FederationTarget,
  federate,
  InvalidTargetsError,
} from "../../../runtime/gateway/federation.ts";
import type { Upstream, UpstreamCallContext } from "../../../runtime/gateway/upstream.ts";
import type { CallContext } from "../../../runtime/mcp/tool-provider.ts";
import { ToolServerError } from "../../../runtime/mcp/tool-server-error.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import { LogLines } from "../mcp/pool-fixture.ts";

const described = (name: string): ToolDescription => ({
  name,
  description: name,
  inputSchema: { type: "object", properties: {} },
});

const refused = () =>
  new ToolServerError(
    { namespace: "kagent", name: "edge" },
    { code: "unreachable", reason: "no connection (ECONNREFUSED)", retryable: true },
  );

/** A tool server that records who calls what. */
class Peer implements Upstream {
  readonly calls: { readonly name: string; readonly context: UpstreamCallContext }[] = [];
  readonly listed: string[];
  down = false;
  hangs = false;

  constructor(...tools: string[]) {
    this.listed = tools;
  }

  listTools = async () => {
    if (this.hangs) return await new Promise<never>(() => {});
    if (this.down) throw refused();
    return this.listed.map(described);
  };

  callTool: Upstream["callTool"] = async (name, _, context, signal) => {
    this.calls.push({ name, context });
    if (this.down) throw refused();
    if (this.hangs) {
      return await new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => {
          reject(signal.reason as Error);
        });
      });
    }
    return { text: `did ${name}`, parts: [{ text: `did ${name}` }] };
  };
}

describe("runtime/gateway/federate", () => {
  let clock: FakeClock;
  let log: LogLines;
  let near: Peer;
  let far: Peer;
  beforeEach(() => {
    clock = new FakeClock();
    log = new LogLines();
    near = new Peer("get_pods", "get_events");
    far = new Peer("get_pods");
  });

  const context = (over: Partial<CallContext> = {}): CallContext => ({
    user: "ann",
    headers: {},
    signal: new AbortController().signal,
    progress: () => undefined,
    ...over,
  });
  const open = (targets: readonly FederationTarget[], forwardHeaders: readonly string[] = []) =>
    federate(targets, { log: log.log, clock, forwardHeaders });
  const both = () =>
    open([
      { name: "k8s-near", upstream: near },
      { name: "k8s-far", upstream: far },
    ]);
  const names = async (provider: ReturnType<typeof open>) =>
    (await provider.listTools(context())).map(({ name }) => name);

  it("names tools by target, with a single target too", async () => {
    assert.deepEqual(await names(both()), [
      "k8s-near_get_pods",
      "k8s-near_get_events",
      "k8s-far_get_pods",
    ]);
    assert.deepEqual(await names(open([{ name: "a", upstream: far }])), ["a_get_pods"]);
    assert.equal(clock.pending, 0);
  });

  it("splits a name at its first underscore", async () => {
    const { text } = await both().callTool("k8s-far_get_pods", {}, context());
    assert.equal(text, "did get_pods");
    assert.equal(near.calls.length, 0);
  });

  it("finds its way back from every name it gave", () => {
    const target = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,8}[a-z0-9])?$/);
    return fc.assert(
      fc.asyncProperty(
        fc.uniqueArray(target, { minLength: 1, maxLength: 5 }),
        fc.array(fc.stringMatching(/^[a-zA-Z0-9_]{1,12}$/), { minLength: 1, maxLength: 5 }),
        async (targets, tools) => {
          const peers = targets.map((name) => ({ name, upstream: new Peer(...tools) }));
          const provider = open(peers);
          for (const { name } of await provider.listTools(context())) {
            const { text } = await provider.callTool(name, {}, context());
            const peer = peers.find(({ name: prefix }) => name.startsWith(`${prefix}_`));
            assert.equal(text, `did ${name.slice((peer?.name.length ?? 0) + 1)}`);
            assert.equal(peer?.upstream.calls.length, 1);
            peer.upstream.calls.length = 0;
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  for (const name of ["nope_get", "get", "", "_get", "k8s-near"]) {
    it(`answers "${name}" as unknown and says how names begin`, async () => {
      const result = await both().callTool(name, {}, context());
      assert.equal(result.isError, true);
      assert.match(result.text, /unknown tool ".*"; names begin with one of k8s-near_, k8s-far_/);
    });
  }

  it("lists the others when a target is dead, and says so once in the log", async () => {
    far.down = true;
    const provider = both();
    assert.deepEqual(await names(provider), ["k8s-near_get_pods", "k8s-near_get_events"]);
    await names(provider);
    assert.deepEqual(log.messages, ["tool server does not answer"]);
    assert.equal(log.lines[0]?.fields["target"], "k8s-far");
    far.down = false;
    assert.equal((await names(provider)).length, 3);
    assert.deepEqual(log.messages.at(-1), "tool server answers again");
  });

  it("does not wait for a target that is late", async () => {
    far.hangs = true;
    const listed = names(both());
    await clock.advance(5_000);
    assert.deepEqual(await listed, ["k8s-near_get_pods", "k8s-near_get_events"]);
    assert.match(String(log.lines[0]?.fields["error"]), /no list of tools within 5000 ms/);
  });

  it("answers a call of a dead target as a failure that names it", async () => {
    far.down = true;
    const result = await both().callTool("k8s-far_get_pods", {}, context());
    assert.equal(result.isError, true);
    assert.match(result.text, /^tool server "k8s-far" did not answer: .*ECONNREFUSED/);
  });

  it("keeps to itself what is not an answer of a tool server", async () => {
    far.callTool = () => Promise.reject(new Error("token=hunter2"));
    const { text } = await both().callTool("k8s-far_get_pods", {}, context());
    assert.doesNotMatch(text + JSON.stringify(log.lines), /hunter2/);
  });

  it("passes an abort on, and its reason back", async () => {
    near.hangs = true;
    const stop = new AbortController();
    const call = both().callTool("k8s-near_get_pods", {}, context({ signal: stop.signal }));
    const reason = new Error("enough");
    stop.abort(reason);
    await assert.rejects(call, (error) => error === reason);
    assert.deepEqual(log.lines, []);
  });

  it("shows and runs only what the allow-list of a target names", async () => {
    const provider = open([{ name: "k8s", upstream: near, allow: ["get_events"] }]);
    assert.deepEqual(await names(provider), ["k8s_get_events"]);
    const result = await provider.callTool("k8s_get_pods", {}, context());
    assert.equal(result.isError, true);
    assert.equal(near.calls.length, 0);
  });

  it("lists a tool once that its server lists twice", async () => {
    assert.deepEqual(await names(open([{ name: "k8s", upstream: new Peer("get", "get") }])), [
      "k8s_get",
    ]);
  });

  it("leaves out a tool whose name no model provider would take", async () => {
    const long = "x".repeat(60);
    const provider = open([{ name: "k8s", upstream: new Peer(long, `${long}x`) }]);
    assert.deepEqual(await names(provider), [`k8s_${long}`]);
    await names(provider);
    assert.deepEqual(log.messages, ["tool left out, its name is too long"]);
  });

  it("passes on who asks and what is configured, never X-MCP-*", async () => {
    const provider = open([{ name: "k8s", upstream: near }], ["X-Team", "X-MCP-Tools"]);
    const headers = {
      "x-user-id": "ann",
      traceparent: "00-1",
      "x-kagent-root-context-id": "root",
      "x-team": "sre",
      authorization: "Bearer t",
      cookie: "c",
      "x-mcp-tools": "all",
      "x-mcp-exclude-tools": "none",
    };
    await provider.callTool("k8s_get_pods", {}, context({ headers, contextId: "ctx" }));
    assert.deepEqual(near.calls[0]?.context.headers, {
      "x-user-id": "ann",
      traceparent: "00-1",
      "x-kagent-root-context-id": "root",
      "x-team": "sre",
    });
    assert.deepEqual([near.calls[0].context.user, near.calls[0].context.contextId], ["ann", "ctx"]);
  });

  it("refuses names that cannot be a prefix, all at once", () => {
    const targets = ["ok", "Bad", "a_b", "", "-x", "ok"].map((name) => ({ name, upstream: near }));
    assert.throws(
      () => open(targets),
      (error) => {
        assert.ok(error instanceof InvalidTargetsError);
        for (const bad of ['"Bad"', '"a_b"', '""', '"-x"', '"ok" is there twice']) {
          assert.ok(error.message.includes(bad), `${error.message} lacks ${bad}`);
        }
        return true;
      },
    );
  });
});
