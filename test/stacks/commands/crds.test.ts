import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, it } from "mocha";
import { parseAllDocuments } from "yaml";
import { customResourceDefinitions } from "../../../runtime/api/crd.ts";

const COMMAND = fileURLToPath(new URL("../../../stacks/commands/crds.ts", import.meta.url));

describe("stacks/commands/crds", () => {
  it("prints the CRDs as one YAML stream, and nothing else", async function () {
    this.timeout(30_000);
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [COMMAND]);
    assert.equal(stderr, "");
    assert.deepEqual(
      parseAllDocuments(stdout).map((document) => document.toJS() as unknown),
      customResourceDefinitions(),
    );
    assert.doesNotMatch(stdout, /[&*]a\d/, "anchors: not every reader of YAML knows them");
  });
});
