import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { textAt } from "../../../../runtime/model/offline/json-read.ts";
import { readObjects } from "../../../../runtime/model/offline/read-list.ts";
import { listText, podObject } from "./test-cluster.ts";

const pod = fc
  .record({
    namespace: fc.constantFrom("shop", "web"),
    name: fc.stringMatching(/^[a-z][a-z0-9-]{0,12}[a-z0-9]$/),
    waiting: fc.option(
      fc.record({ reason: fc.string(), message: fc.string() }, { noNullPrototype: true }),
      {
        nil: undefined,
      },
    ),
  })
  .map(({ waiting, ...rest }) => podObject({ ...rest, ...(waiting && { waiting }) }));

const names = (objects: readonly unknown[]) =>
  objects.map((each) => textAt(each, "metadata", "name"));

describe("runtime/model/offline/read-list", () => {
  it("reads Lists, arrays and single objects, compact or indented", () => {
    fc.assert(
      fc.property(fc.array(pod), fc.constantFrom(0, 1, 4), (pods, indent) => {
        const list = JSON.stringify({ kind: "List", items: pods }, null, indent);
        assert.deepEqual(readObjects(list)?.objects, pods);
        assert.deepEqual(readObjects(JSON.stringify(pods, null, indent))?.objects, pods);
        const [first] = pods;
        if (first) assert.deepEqual(readObjects(JSON.stringify(first))?.objects, [first]);
      }),
    );
  });

  it("gives the whole objects of a list that was cut in its middle, nothing else, and says so", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(pod, { selector: (each) => textAt(each, "metadata", "name"), minLength: 2 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (pods, a, b) => {
          const lines = pods.map((each) => JSON.stringify(each));
          const text = `{"kind":"List","items":[\n${lines.join(",\n")}\n]}`;
          const [from, to] = [a, b]
            .sort((x, y) => x - y)
            .map((share) => 30 + Math.floor(share * (text.length - 31)));
          const cut = `${text.slice(0, from)}\n[... 9 bytes left out ...]\n${text.slice(to)}`;
          const read = readObjects(cut);
          assert.equal(read?.incomplete, true);
          const kept = pods.filter((_, index) => cut.includes(lines[index]!));
          assert.deepEqual(names(read.objects), names(kept));
        },
      ),
      { numRuns: 300 },
    );
  });

  it("takes what the tool says about what it left out", () => {
    const extra = { total: 40, unhealthy: 3, leftOut: 39 };
    const read = readObjects(listText([podObject({ namespace: "a", name: "b" })], extra));
    assert.deepEqual(
      [read?.total, read?.unhealthy, read?.incomplete, read?.objects.length],
      [40, 3, true, 1],
    );
  });

  it("knows an empty answer from an unreadable one", () => {
    assert.deepEqual(readObjects("no pods found in namespace shop")?.objects, []);
    assert.equal(readObjects("NAME   READY\na      1/1"), undefined);
    assert.equal(readObjects("{not json"), undefined);
    assert.equal(readObjects('{"status":"ok"}'), undefined);
  });

  it("needs no more than a moment for hostile text", () => {
    const started = performance.now();
    readObjects(`{"items":[${'{"a":'.repeat(50_000)}`);
    readObjects(`{"items":[${'{"a":'.repeat(40_000)}1${"}".repeat(40_000)}`);
    readObjects(`{"items":[${"{".repeat(100_000)}${"}".repeat(100_000)}`);
    assert.ok(performance.now() - started < 2_000);
  });
});
