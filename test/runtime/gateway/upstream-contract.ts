import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "mocha";
import * as z from "zod";
import {
  READ_ONLY,
  type ToolContext,
  type ToolDefinition,
  type ToolOutput,
} from "../../../runtime/api/tool.ts";
import type { Upstream, UpstreamCallContext } from "../../../runtime/gateway/upstream.ts";

/** An upstream whose tools are the given ones. */
export interface OpenUpstream {
  readonly upstream: Upstream;
  close(): Promise<void>;
}

const never = new AbortController().signal;

/** For whom tests call. */
function callContext(over: Partial<UpstreamCallContext> = {}): UpstreamCallContext {
  const headers = { "x-user-id": "ann", "x-kagent-parent-context-id": "ctx" };
  return { user: "ann", contextId: "ctx", headers, progress: () => undefined, ...over };
}

/** What every Upstream keeps. */
export function upstreamContract(
  name: string,
  open: (definitions: readonly ToolDefinition[]) => Promise<OpenUpstream>,
): void {
  describe(`${name} as Upstream`, () => {
    let opened: OpenUpstream;
    let upstream: Upstream;
    let run: (args: Readonly<Record<string, unknown>>, context: ToolContext) => Promise<ToolOutput>;
    let called: PromiseWithResolvers<ToolContext>;

    beforeEach(async () => {
      called = Promise.withResolvers();
      run = (args) => Promise.resolve({ text: JSON.stringify(args), structured: { ...args } });
      const tool: ToolDefinition = {
        name: "get",
        description: "gets",
        hints: READ_ONLY,
        inputSchema: z.strictObject({ kind: z.string(), limit: z.int().default(5) }),
        call: (args, context) => {
          called.resolve(context);
          return run(args, context);
        },
      };
      opened = await open([tool, { ...tool, name: "list", inputSchema: z.strictObject({}) }]);
      upstream = opened.upstream;
    });
    afterEach(() => opened.close());

    const call = (args: object, tool = "get", signal = never, context = callContext()) =>
      upstream.callTool(tool, { ...args }, context, signal);

    it("describes its tools with schemas and hints", async () => {
      const tools = await upstream.listTools(callContext(), never);
      assert.deepEqual(tools[0], {
        name: "get",
        description: "gets",
        inputSchema: {
          type: "object",
          properties: {
            kind: { type: "string" },
            limit: {
              type: "integer",
              default: 5,
              minimum: -9007199254740991,
              maximum: 9007199254740991,
            },
          },
          required: ["kind"],
          additionalProperties: false,
        },
        hints: READ_ONLY,
      });
      assert.deepEqual(tools[1]?.inputSchema["properties"], {});
      assert.equal(tools.length, 2);
    });

    it("runs a tool with its defaults and hands back every form of the result", async () => {
      const data = { kind: "Pod", limit: 5 };
      assert.deepEqual(await call({ kind: "Pod" }), {
        text: JSON.stringify(data),
        structured: data,
        parts: [{ text: JSON.stringify(data) }, { data, mediaType: "application/json" }],
      });
    });

    it("tells the tool whose call it is", async () => {
      await call({ kind: "Pod" });
      const { user, contextId } = await called.promise;
      assert.deepEqual([user, contextId], ["ann", "ctx"]);
    });

    const failures = [
      { what: "an unknown tool", tool: "nope", args: {}, says: /unknown tool "nope"/ },
      { what: "a missing argument", tool: "get", args: {}, says: /arguments\.kind/ },
      { what: "a superfluous argument", tool: "list", args: { a: 1 }, says: /"a"/ },
    ];
    for (const { what, tool, args, says } of failures) {
      it(`answers ${what} as a result with isError`, async () => {
        const result = await call(args, tool);
        assert.equal(result.isError, true);
        assert.match(result.text, says);
      });
    }

    it("answers a failure of the tool as the tool words it", async () => {
      run = () => Promise.resolve({ text: "no such pod", isError: true });
      const { isError, text } = await call({ kind: "Pod" });
      assert.deepEqual([isError, text], [true, "no such pod"]);
    });

    it("answers an exception without its text", async () => {
      run = () => Promise.reject(new Error("hunter2"));
      const result = await call({ kind: "Pod" });
      assert.equal(result.isError, true);
      assert.doesNotMatch(result.text, /hunter2/);
    });

    it("aborts the tool with the caller, who gets the own reason back", async () => {
      const aborted = Promise.withResolvers<undefined>();
      run = (_, { signal }) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener("abort", () => {
            aborted.resolve(undefined);
            reject(new Error("of the tool"));
          });
        });
      const stop = new AbortController();
      const running = call({ kind: "Pod" }, "get", stop.signal);
      await called.promise;
      const reason = new Error("enough");
      stop.abort(reason);
      await assert.rejects(running, (error) => error === reason);
      await aborted.promise;
    });

    it("does nothing for a caller who has left", async () => {
      const gone = AbortSignal.abort(new Error("gone"));
      await assert.rejects(call({ kind: "Pod" }, "get", gone), /gone/);
      await assert.rejects(async () => upstream.listTools(callContext(), gone), /gone/);
    });

    it("passes progress on", async () => {
      const told = Promise.withResolvers<unknown>();
      run = async (_, context) => {
        (context as unknown as UpstreamCallContext).progress({ progress: 1, total: 2 });
        await told.promise;
        return { text: "done" };
      };
      const context = callContext({
        progress: (progress) => {
          told.resolve(progress);
        },
      });
      await call({ kind: "Pod" }, "get", never, context);
      assert.deepEqual(await told.promise, { progress: 1, total: 2 });
    });
  });
}
