import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { bundleCopy } from "../../../../runtime/controller/objects/bundle-copy.ts";

const source = (over: object = {}) => ({
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: {
    name: "kagent-worker-0a1b",
    namespace: "kagent",
    uid: "u",
    resourceVersion: "5",
    annotations: { a: "b" },
  },
  immutable: true,
  data: { "main.mjs": "import 'b'" },
  binaryData: { z: "AAAA", a: "BBBB" },
  ...over,
});

describe("runtime/controller/objects/bundle-copy", () => {
  it("is immutable and has name and content of the original, and nothing else of it", () => {
    assert.deepEqual(bundleCopy(source(), "team"), {
      ok: true,
      value: {
        apiVersion: "v1",
        kind: "ConfigMap",
        metadata: {
          name: "kagent-worker-0a1b",
          namespace: "team",
          labels: {
            app: "kagent",
            "app.kubernetes.io/managed-by": "kagent",
            "app.kubernetes.io/part-of": "kagent",
            "kagent.dev/worker-bundle": "true",
          },
        },
        immutable: true,
        data: { "main.mjs": "import 'b'" },
        binaryData: { a: "BBBB", z: "AAAA" },
      },
    });
    const { binaryData: _, ...text } = source();
    const copy = bundleCopy(text, "team");
    assert.ok(copy.ok);
    assert.equal(Object.hasOwn(copy.value, "binaryData"), false);
  });

  for (const [what, object, message] of [
    ["a map that may change", source({ immutable: false }), /is no bundle/],
    ["a Secret", source({ kind: "Secret" }), /is no bundle/],
    ["an empty map", source({ data: {}, binaryData: undefined }), /is empty/],
    [
      "a map that is too big as stored",
      source({ binaryData: { a: Buffer.alloc(930_000).toString("base64") } }),
      /has 9300\d\d bytes, a bundle has at most 921600$/,
    ],
  ] as const) {
    it(`refuses ${what}`, () => {
      const copy = bundleCopy(object, "team");
      assert.ok(!copy.ok);
      assert.match(copy.violations[0]?.message ?? "", message);
    });
  }

  it("takes a map that base64 alone would make too big", () => {
    assert.ok(
      bundleCopy(source({ binaryData: { a: Buffer.alloc(800_000).toString("base64") } }), "t").ok,
    );
  });
});
