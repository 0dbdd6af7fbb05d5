import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { fieldSelector, labelSelector } from "../../../../runtime/toolservers/demo/selectors.ts";

const object = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "a", namespace: "n", labels: { app: "checkout", tier: "web" } },
  spec: { nodeName: "one" },
};

describe("runtime/toolservers/demo/selectors", () => {
  for (const [text, expected] of [
    ["", true],
    ["app=checkout", true],
    ["app==checkout,tier=web", true],
    ["app=cart", false],
    ["app!=cart", true],
    ["missing!=x", true],
    ["app", true],
    ["!app", false],
    ["missing", false],
    ["app in (cart, checkout)", true],
    ["app notin (cart,checkout)", false],
    ["missing notin (x)", true],
    ["app in (cart),tier=web", false],
  ] as const)
    it(`${expected ? "selects" : "leaves out"} by labels "${text}"`, () => {
      assert.equal(labelSelector(text)(object), expected);
    });

  for (const [text, expected] of [
    ["", true],
    ["metadata.name=a", true],
    ["metadata.name!=a", false],
    ["spec.nodeName=one,metadata.namespace=n", true],
    ["spec.nodeName=two", false],
    ["status.phase=Running", false],
  ] as const)
    it(`${expected ? "selects" : "leaves out"} by fields "${text}"`, () => {
      assert.equal(fieldSelector(text)(object), expected);
    });

  for (const text of ["a in (", "a=b=c", "a b", "=x"])
    it(`refuses the label selector "${text}"`, () => {
      assert.throws(() => labelSelector(text), /unable to parse/);
    });
  it("refuses a field selector without a sign", () => {
    assert.throws(() => fieldSelector("metadata.name"), /unable to parse/);
  });
});
