import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { mentioned, namespaceIn, objectIn } from "../../../../runtime/model/offline/subject.ts";

describe("runtime/model/offline/subject", () => {
  for (const [text, namespace] of [
    ["pods in namespace shop", "shop"],
    ["what fails in the `kube-system` namespace?", "kube-system"],
    ["get pods -n web", "web"],
    ["which namespace has failing pods?", undefined],
    ["list each namespace", undefined],
    ["is the namespace in trouble?", undefined],
  ] as const)
    it(`finds ${namespace ?? "no namespace"} in ${JSON.stringify(text)}`, () => {
      assert.equal(namespaceIn(text), namespace);
    });

  for (const [text, kind, name] of [
    ["describe deployment checkout", "Deployment", "checkout"],
    ["show pod/web-1 please", "Pod", "web-1"],
    ["the node named amer-worker-1", "Node", "amer-worker-1"],
    ["why are pods failing?", undefined, undefined],
  ] as const)
    it(`finds ${name ?? "no object"} in ${JSON.stringify(text)}`, () => {
      const found = objectIn(text);
      assert.deepEqual([found?.kind.kind, found?.name], [kind, name]);
    });

  it("keeps what is mentioned by name, by its beginning or by namespace, else everything", () => {
    const objects = [
      { namespace: "shop", name: "checkout-7d9f-abc" },
      { namespace: "shop", name: "cart-1" },
      { namespace: "web", name: "checkout-web" },
    ];
    const names = (text: string) => mentioned(text, objects).map(({ name }) => name);
    assert.deepEqual(names("why is checkout-7d9f failing"), ["checkout-7d9f-abc"]);
    assert.deepEqual(names("checkout in shop"), ["checkout-7d9f-abc"]);
    assert.deepEqual(names("everything in shop"), ["checkout-7d9f-abc", "cart-1"]);
    assert.deepEqual(names("namespace nowhere"), []);
    assert.deepEqual(
      names("which pods fail?"),
      objects.map(({ name }) => name),
    );
  });
});
