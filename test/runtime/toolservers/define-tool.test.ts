import assert from "node:assert/strict";
import { describe, it } from "mocha";
import * as z from "zod";
import { count, flag } from "../../../runtime/toolservers/arguments.ts";
import { defineTool, labelled, ToolFailure } from "../../../runtime/toolservers/define-tool.ts";
import { callTool } from "./call-tool.ts";

const inputSchema = z.strictObject({
  name: z.string().max(5),
  lines: count(10, 3, "Lines"),
  all: flag("All"),
});

function tools(run: (args: z.output<typeof inputSchema>) => Promise<string>) {
  return [defineTool({ name: "echo", description: "Echoes.", inputSchema, run })];
}

describe("runtime/toolservers/define-tool", () => {
  it("hands the tool arguments with defaults filled in", async () => {
    const output = await callTool(
      tools((args) => Promise.resolve(JSON.stringify(args))),
      "echo",
      { name: "a" },
    );
    assert.deepEqual(output, { text: '{"name":"a","lines":3,"all":false}' });
  });

  it("takes numbers and switches in quotes, as models write them", async () => {
    const output = await callTool(
      tools((args) => Promise.resolve(JSON.stringify(args))),
      "echo",
      { name: "a", lines: "7", all: "True" },
    );
    assert.equal(output.text, '{"name":"a","lines":7,"all":true}');
  });

  const broken: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
    ["an unknown argument", { name: "a", bogus: 1 }, /arguments: .*"bogus"/],
    ["a missing argument", {}, /name: /],
    ["an argument that is too long", { name: "abcdef" }, /name: /],
    ["a number out of range", { name: "a", lines: 11 }, /lines: /],
    ["a number that is none", { name: "a", lines: "many" }, /lines: /],
  ];
  for (const [what, args, expected] of broken)
    it(`answers ${what} with its path and does not run`, async () => {
      const output = await callTool(
        tools(() => Promise.reject(new Error("ran"))),
        "echo",
        args,
      );
      assert.equal(output.isError, true);
      assert.match(output.text, expected);
    });

  it("answers a failure the model may learn from as an error result", async () => {
    const output = await callTool(
      tools(() => Promise.reject(new ToolFailure("no such thing"))),
      "echo",
      { name: "a" },
    );
    assert.deepEqual(output, { text: "no such thing", isError: true });
  });

  it("throws any other failure, so that its text does not reach the model", async () => {
    const call = callTool(
      tools(() => Promise.reject(new Error("internal detail"))),
      "echo",
      { name: "a" },
    );
    await assert.rejects(call, /internal detail/);
  });

  it("passes an abort on instead of reporting it as a failure", async () => {
    const caller = new AbortController();
    const call = callTool(
      tools(() => {
        caller.abort(new Error("gone"));
        return Promise.reject(new ToolFailure("late"));
      }),
      "echo",
      { name: "a" },
      { signal: caller.signal },
    );
    await assert.rejects(call, /gone/);
  });

  it("puts the label before answers and errors alike", async () => {
    const all = labelled(
      "# stand-in",
      tools(() => Promise.resolve("fine")),
    );
    assert.equal((await callTool(all, "echo", { name: "a" })).text, "# stand-in\nfine");
    const failed = await callTool(all, "echo", {});
    assert.match(failed.text, /^# stand-in\ninvalid arguments/);
    assert.equal(failed.isError, true);
  });

  it("describes its arguments as a JSON schema without unions or transforms", () => {
    const schema = z.toJSONSchema(inputSchema, { io: "input" });
    assert.deepEqual(schema.required, ["name"]);
    assert.deepEqual(schema.properties, {
      name: { type: "string", maxLength: 5 },
      lines: { type: "integer", minimum: 1, maximum: 10, default: 3, description: "Lines" },
      all: { type: "boolean", default: false, description: "All" },
    });
  });
});
