import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { checkConfig } from "../../stacks/config.ts";

function violations(values: unknown): readonly string[] {
  const checked = checkConfig(values);
  return checked.ok ? [] : checked.violations.map(({ path, message }) => `${path}: ${message}`);
}

describe("stacks/config", () => {
  it("has a default for every key", () => {
    assert.deepEqual(checkConfig({}), {
      ok: true,
      value: {
        namespace: "kagent",
        clusters: [{ name: "services-amer" }],
        gatewayUrl: "http://agentgateway-proxy.agentgateway-system.svc.cluster.local:9090",
        ollamaHost: "http://ollama.ollama.svc.cluster.local:11434",
        installCrds: true,
      },
    });
  });

  it("takes every key", () => {
    const values = {
      namespace: "agents",
      clusters: [{ name: "a", k8sToolsUrl: "http://k8s:1/mcp", helmToolsUrl: "https://helm/mcp" }],
      gatewayUrl: "https://gateway",
      ollamaHost: "http://10.0.0.1:11434",
      installCrds: false,
    };
    assert.deepEqual(checkConfig(values), { ok: true, value: values });
  });

  const rows: readonly (readonly [string, unknown, RegExp])[] = [
    ["an unknown key", { gatewayUri: "http://a" }, /^gatewayUri: .*gatewayUrl/],
    ["an unknown key of a cluster", { clusters: [{ name: "a", x: 1 }] }, /^clusters\[0\]\.x: /],
    ["no cluster", { clusters: [] }, /^clusters: /],
    [
      "a cluster whose tools would have too long names",
      { clusters: [{ name: "a" }, { name: "a".repeat(15) }] },
      /^clusters\[1\]\.name: must have at most 14 characters/,
    ],
    ["a name that is no label", { namespace: "Kagent_1" }, /^namespace: /],
    ["an address that is none", { ollamaHost: "ollama:11434" }, /^ollamaHost: must be an http/],
    ["another protocol", { gatewayUrl: "ftp://a" }, /^gatewayUrl: must be an http or https URL/],
    ["a word for a boolean", { installCrds: "no" }, /^installCrds: /],
  ];
  for (const [what, values, says] of rows)
    it(`refuses ${what}, with its path`, () => {
      const found = violations(values);
      assert.equal(found.length, 1, found.join("; "));
      assert.match(found[0] ?? "", says);
    });

  it("names everything that is wrong at once", () => {
    assert.equal(violations({ namespace: 7, installCrds: 7, more: 7 }).length, 3);
  });
});
