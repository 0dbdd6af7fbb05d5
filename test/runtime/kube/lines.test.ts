import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { linesOf } from "../../../runtime/kube/lines.ts";
import { allOf } from "./all-of.ts";
import { failureOf } from "./cluster-contract.ts";

async function* packets(text: string, sizes: readonly number[]): AsyncGenerator<Buffer> {
  const bytes = Buffer.from(text);
  let at = 0;
  for (const size of sizes) {
    yield bytes.subarray(at, at + size);
    at += size;
  }
  yield bytes.subarray(at);
}

describe("runtime/kube/lines", () => {
  it("gives the same lines however the bytes are cut", async () => {
    const text = fc.array(fc.string({ unit: "grapheme", maxLength: 20 }), { maxLength: 10 });
    const sizes = fc.array(fc.integer({ min: 0, max: 12 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(text, sizes, async (words, cuts) => {
        const joined = words.join("\n");
        const expected = joined.split("\n").filter((each) => each !== "");
        assert.deepEqual(await allOf(linesOf(packets(joined, cuts), 1_000)), expected);
      }),
    );
  });

  it("takes a line of the greatest length and none that is longer, ended or not", async () => {
    const read = (text: string) => allOf(linesOf(packets(text, [3, 3, 3]), 10));
    assert.deepEqual(await read(`${"a".repeat(10)}\n${"b".repeat(10)}`), [
      "a".repeat(10),
      "b".repeat(10),
    ]);
    for (const text of [`${"a".repeat(11)}\nb`, "a".repeat(11), `a\n${"b".repeat(11)}`])
      assert.equal((await failureOf(read(text))).code, "invalid");
  });
});
