import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { similarNames } from "../../../runtime/toolservers/similar-names.ts";

describe("runtime/toolservers/similar-names", () => {
  it("puts names that begin with what was written before those with typing errors", () => {
    const known = ["chekout", "checkout-7d9-abc", "catalog", "storefront"];
    assert.deepEqual(similarNames("checkout", known, 5), ["checkout-7d9-abc", "chekout"]);
  });

  it("finds the shorter name that was written with something behind it", () => {
    assert.deepEqual(similarNames("pods.v1", ["pods", "nodes"], 3), ["pods"]);
  });

  it("gives no more than it is asked for, each once", () => {
    assert.deepEqual(similarNames("a", ["a1", "a1", "a2", "a3"], 2), ["a1", "a2"]);
  });

  it("suggests nothing that is merely as short", () => {
    assert.deepEqual(similarNames("checkout", ["pods", "prometheus-0"], 3), []);
  });
});
