import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { changeIn, editManifest } from "../../../../runtime/model/offline/manifest-edit.ts";

const MANIFEST = `# kept
apiVersion: apps/v1
kind: Deployment
metadata:
  name: cart
spec:
  replicas: 1 # kept too
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: checkout
spec:
  replicas: 3
  template:
    spec:
      containers:
        - name: checkout
          image: "registry.test:5000/shop/checkout:3.4.0"
          resources:
            requests:
              cpu: 250m
              memory: 256Mi
            limits:
              cpu: "1"
              memory: 512Mi
`;

describe("runtime/model/offline/manifest-edit", () => {
  const rows = [
    ["scale checkout to 5 replicas", "-  replicas: 3\n+  replicas: 5"],
    ["set the replicas of cart to 2", "-  replicas: 1 # kept too\n+  replicas: 2 # kept too"],
    [
      "raise the memory limit of checkout to 1Gi",
      "-              memory: 512Mi\n+              memory: 1Gi",
    ],
    [
      "lower the memory request of checkout to 128 Mi",
      "-              memory: 256Mi\n+              memory: 128Mi",
    ],
    [
      "open a pull request that raises the memory limit of checkout",
      "-              memory: 512Mi\n+              memory: 1024Mi",
    ],
    ["halve the cpu request of checkout", "-              cpu: 250m\n+              cpu: 125m"],
    ["set the cpu limit of checkout to 2", '-              cpu: "1"\n+              cpu: "2"'],
    ["scale down checkout", "-  replicas: 3\n+  replicas: 2"],
    [
      "upgrade the image of checkout to 3.5.1.",
      '-          image: "registry.test:5000/shop/checkout:3.4.0"\n+          image: "registry.test:5000/shop/checkout:3.5.1"',
    ],
  ] as const;
  for (const [request, diff] of rows)
    it(`changes one value and nothing else: ${request}`, () => {
      const subject = request.includes("cart") ? "cart" : "checkout";
      const change = changeIn(request, [subject]);
      assert.ok(change);
      const edited = editManifest(MANIFEST, change);
      assert.equal(edited?.diff, diff);
      const before = MANIFEST.split("\n");
      const differing = edited.content.split("\n").filter((line, at) => line !== before[at]);
      assert.equal(differing.length, 1);
    });

  for (const request of [
    "upgrade the image of checkout",
    "set the replicas of checkout to 3",
    "change the memory of checkout",
  ])
    it(`invents no value: ${request}`, () => {
      const change = changeIn(request, ["checkout"]);
      assert.ok(change);
      assert.equal(editManifest(MANIFEST, change), undefined);
    });

  it("sees no change where none is asked for", () => {
    assert.equal(changeIn("which pods are failing?", ["pods"]), undefined);
  });

  it("does not touch an image without a tag", () => {
    const change = changeIn("upgrade the image of a to 2.0", ["a"]);
    assert.ok(change);
    assert.equal(editManifest("image: registry.test:5000/a", change), undefined);
  });
});
