import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { ClusterError } from "../../../runtime/api/cluster-reader.ts";
import { fieldSelector, labelSelector } from "../../../runtime/api/object-selector.ts";

const object = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "a", namespace: "n", labels: { app: "x", "k.dev/tier": "one", empty: "" } },
  spec: { nodeName: "worker-1", replicas: 3, paused: false },
};

describe("runtime/api/object-selector", () => {
  for (const [text, expected] of [
    ["", true],
    ["app=x", true],
    ["app==x", true],
    ["app = x", true],
    ["app=y", false],
    ["app!=y", true],
    ["app!=x", false],
    ["none!=x", true],
    ["k.dev/tier=one,app=x", true],
    ["k.dev/tier=one,app=y", false],
    ["app in (x,y)", true],
    ["app in(x)", true],
    ["app in (y, z)", false],
    ["none in (x)", false],
    ["app notin (y)", true],
    ["none notin (y)", true],
    ["app notin (x,y),app", false],
    ["app", true],
    ["none", false],
    ["!none", true],
    ["!app", false],
    ["empty=", true],
  ] as const)
    it(`label selector "${text}" is ${String(expected)}`, () => {
      assert.equal(labelSelector(text)(object), expected);
    });

  for (const [text, expected] of [
    ["", true],
    ["metadata.name=a", true],
    ["metadata.name==b", false],
    ["metadata.name!=b,metadata.namespace=n", true],
    ["spec.nodeName=worker-1", true],
    ["spec.replicas=3,spec.paused=false", true],
    ["spec.none=", true],
    ["spec.constructor.name=Object", false],
  ] as const)
    it(`field selector "${text}" is ${String(expected)}`, () => {
      assert.equal(fieldSelector(text)(object), expected);
    });

  for (const text of ["a b", "app in x", "app in (x", "a=b=c", "=", "a;b"])
    it(`refuses the label selector "${text}"`, () => {
      assert.throws(() => labelSelector(text), ClusterError);
    });

  for (const text of ["metadata.name", "=a"])
    it(`refuses the field selector "${text}"`, () => {
      assert.throws(() => fieldSelector(text), ClusterError);
    });
});
