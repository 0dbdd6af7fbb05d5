import assert from "node:assert/strict";
import { describe, it } from "mocha";
import {
  MAX_CLUSTER_NAME,
  MAX_TOOL_NAME,
  prefixedTool,
  SERVERS,
  splitTool,
  TOOL_CATALOGUE,
  targetName,
  toolAccess,
} from "../../../runtime/api/tool-catalogue.ts";

const ACCESS: readonly (readonly [string, ReturnType<typeof toolAccess>])[] = [
  ["k8s_get_resources", "read"],
  ["k8s-tools-services-amer_k8s_get_resources", "read"],
  ["k8s_patch_status", "write"],
  ["k8s-tools-services-amer_k8s_patch_status", "write"],
  ["k8s_check_service_connectivity", "write"],
  ["k8s_generate_resource", "read"],
  ["helm_repo_update", "read"],
  ["helm_upgrade", "write"],
  ["shell", "write"],
  ["tools_shell", "write"],
  ["datetime_get_current_time", "read"],
  ["github_create_branch", "write"],
  ["github_search_code", "read"],
  ["code_execute_python", "read"],
  ["opencost-services-amer_get_efficiency", "read"],
  // by the first word
  ["jira_get_ticket", "read"],
  ["jira_delete_ticket", "write"],
  ["weather", "unknown"],
  ["get_weather", "read"],
  ["listPods", "read"],
  ["delete-pods", "write"],
  ["k8s_list_things", "read"],
  ["k8s_delete_things", "write"],
  ["svc_status_patch", "unknown"],
  // a word further inside says nothing
  ["x_report_get_delete", "unknown"],
  // the more dangerous reading of a name counts
  ["search_delete_index", "write"],
  ["search-engine_reindex", "unknown"],
  ["", "unknown"],
  ["_", "unknown"],
];

describe("runtime/api/tool-catalogue", () => {
  for (const [name, access] of ACCESS)
    it(`takes ${JSON.stringify(name)} for ${access}`, () => {
      assert.equal(toolAccess(name), access);
    });

  it("has each tool once, with a one-line summary", () => {
    const names = TOOL_CATALOGUE.map(({ name }) => name);
    assert.deepEqual(names, [...new Set(names)]);
    for (const { name, summary } of TOOL_CATALOGUE)
      assert.match(summary, /^[A-Z][^\n]{5,80}\.$/, name);
  });

  it("says the same of two tools where one's name reads as the other's with a target", () => {
    for (const { name, access } of TOOL_CATALOGUE) {
      const bare = splitTool(name)?.tool;
      const other = TOOL_CATALOGUE.find((tool) => tool.name === bare);
      assert.equal(other?.access ?? access, access, name);
    }
  });

  it("fits every tool of a server that each cluster has into the longest cluster name", () => {
    const cluster = "a".repeat(MAX_CLUSTER_NAME);
    for (const { server, name } of TOOL_CATALOGUE) {
      if (server === "kagent-tools") continue;
      const target = targetName(server, SERVERS[server].perCluster ? cluster : undefined);
      const prefixed = prefixedTool(target, name);
      assert.ok(prefixed.length <= MAX_TOOL_NAME);
      assert.deepEqual(splitTool(prefixed), {
        target,
        tool: name,
        server,
        ...(SERVERS[server].perCluster && { cluster }),
      });
    }
  });

  it("names targets as the gateway does", () => {
    assert.deepEqual(
      [
        targetName("k8s", "services-amer"),
        targetName("helm", "services-amer"),
        targetName("opencost", "services-amer"),
        targetName("grafana"),
        targetName("github"),
        targetName("code"),
      ],
      [
        "k8s-tools-services-amer",
        "helm-tools-services-amer",
        "opencost-services-amer",
        "grafana",
        "github",
        "code",
      ],
    );
  });

  for (const [what, call] of [
    ["a cluster where there is none", () => targetName("github", "a")],
    ["a missing cluster", () => targetName("k8s")],
    ["a cluster name that is too long", () => targetName("k8s", "a".repeat(15))],
    ["a cluster name with an underscore", () => targetName("k8s", "a_b")],
    ["an empty cluster name", () => targetName("k8s", "")],
    ["a target with an underscore", () => prefixedTool("a_b", "c")],
    ["a name of 65 characters", () => prefixedTool("a", "b".repeat(63))],
  ] as const)
    it(`refuses ${what}`, () => {
      assert.throws(call, /TypeError|RangeError/);
    });

  it("takes a name of 64 characters", () => {
    assert.equal(prefixedTool("a", "b".repeat(62)).length, 64);
  });

  it("splits at the first underscore, and nothing that has no two sides", () => {
    assert.deepEqual(splitTool("a-b_c_d"), { target: "a-b", tool: "c_d" });
    for (const name of ["", "a", "_a", "a_"]) assert.equal(splitTool(name), undefined);
  });
});
