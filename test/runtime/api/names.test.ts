import assert from "node:assert/strict";
import { describe, it } from "mocha";
import {
  ANNOTATIONS,
  API_VERSION,
  DEFAULT_MODEL_CONFIG,
  LABELS,
  parseRef,
  refKey,
} from "../../../runtime/api/names.ts";

describe("runtime/api/names", () => {
  it("spells what manifests of kagent hold", () => {
    assert.equal(API_VERSION, "kagent.dev/v1alpha2");
    assert.equal(DEFAULT_MODEL_CONFIG, "default-model-config");
    assert.equal(LABELS.mcpService, "kagent.dev/mcp-service");
    assert.equal(LABELS.promptLibrary, "kagent.dev/prompt-library");
    assert.equal(ANNOTATIONS.configHash, "kagent.dev/config-hash");
    assert.equal(ANNOTATIONS.allowedUsers, "kagent.dev/allowed-users");
  });

  it("reads a reference as it writes it", () => {
    const ref = { namespace: "qa", name: "triage-agent" };
    assert.equal(refKey(ref), "qa/triage-agent");
    assert.deepEqual(parseRef("qa/triage-agent"), ref);
    assert.deepEqual(parseRef("triage-agent", "qa"), ref);
    assert.deepEqual(parseRef("triage-agent"), { ...ref, namespace: "kagent" });
  });
});
