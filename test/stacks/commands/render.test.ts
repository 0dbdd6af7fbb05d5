import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { parseAllDocuments } from "yaml";
import { parseObject } from "../../../runtime/api/objects.ts";
import { runCommand } from "../../support/command.ts";

interface Rendered {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
}

describe("stacks/commands/render", function () {
  this.timeout(30_000);

  it("prints every object of a stack as YAML in an order to apply, twice the same", async () => {
    const [once, again] = await Promise.all([
      runCommand(["render", "dev"]),
      runCommand(["render", "dev"]),
    ]);
    assert.equal(once.code, 0, once.stderr);
    assert.equal(once.stdout, again.stdout);
    const documents = parseAllDocuments(once.stdout);
    assert.deepEqual(
      documents.flatMap(({ errors }) => errors),
      [],
    );
    const objects = documents.map((document) => document.toJS() as Rendered);
    assert.deepEqual([objects[0]?.kind, objects[0]?.metadata.name], ["Namespace", "kagent"]);
    assert.deepEqual(
      objects.slice(1, 5).map(({ kind, metadata }) => `${kind} ${metadata.name}`),
      ["agents", "modelconfigs", "modelproviderconfigs", "remotemcpservers"].map(
        (plural) => `CustomResourceDefinition ${plural}.kagent.dev`,
      ),
    );
    const ours = objects.slice(5);
    assert.equal(ours.length, 18);
    for (const object of ours) {
      const parsed = parseObject(object);
      assert.ok(parsed.ok, JSON.stringify(parsed));
      assert.equal(object.metadata.namespace, "kagent");
    }
    assert.doesNotMatch(once.stdout, /[&*]a\d/, "anchors: not every reader of YAML knows them");
  });

  it("renders prod too", async () => {
    const { code, stdout, stderr } = await runCommand(["render", "prod"]);
    assert.equal(code, 0, stderr);
    assert.equal(parseAllDocuments(stdout).length, 23);
  });

  it("says how it is called when the stack is none (2)", async () => {
    const [none, wrong] = await Promise.all([
      runCommand(["render"]),
      runCommand(["render", "staging"]),
    ]);
    for (const { code, stdout, stderr } of [none, wrong]) {
      assert.equal(code, 2);
      assert.equal(stdout, "");
      assert.match(stderr, /Usage: npm run render -- dev\|prod/);
    }
  });
});
