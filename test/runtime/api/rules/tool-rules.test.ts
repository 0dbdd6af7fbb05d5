import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { Agent } from "../../../../runtime/api/objects.ts";
import { approvals } from "../../../../runtime/api/rules/approvals.ts";
import type { Finding } from "../../../../runtime/api/rules/finding.ts";
import type { ObjectSet } from "../../../../runtime/api/rules/object-set.ts";
import { readOnlyTools } from "../../../../runtime/api/rules/read-only-tools.ts";
import { toolLimits } from "../../../../runtime/api/rules/tool-limits.ts";
import { toolNames } from "../../../../runtime/api/rules/tool-names.ts";
import { agentInput, agentOf, agentTool, serverTool, setOf } from "./objects.ts";

type Rule = (agent: Agent, set: ObjectSet) => readonly Finding[];

function found(rule: Rule, tools: readonly unknown[], declarative = {}, metadata = {}) {
  const set = setOf(agentInput("a", { tools, ...declarative }, {}, metadata));
  return rule(agentOf(set, "a"), set).map(
    ({ severity, path, message }) =>
      `${severity} ${path.replace("spec.declarative.", "")}: ${message}`,
  );
}
const many = (count: number, prefix = "github_get_") =>
  Array.from({ length: count }, (_, at) => `${prefix}${at}`);

describe("runtime/api/rules/tool-limits", () => {
  it("counts tool names and agents together", () => {
    const tools = [
      serverTool("x", many(10)),
      serverTool("y", many(6, "y_")),
      agentTool("b"),
      agentTool("c"),
    ];
    assert.deepEqual(found(toolLimits, tools), []);
    assert.deepEqual(
      found(toolLimits, [...tools, agentTool("d"), agentTool("e"), agentTool("f")]),
      ["error tools: has 21 tools, at most 18: 10 of x, 6 of y, 5 agents"],
    );
  });

  it("has a limit that can be set", () => {
    const rule: Rule = (agent, set) => toolLimits(agent, set, 1);
    assert.deepEqual(found(rule, [agentTool("b"), serverTool("x", ["y_1"])]), [
      "error tools: has 2 tools, at most 1: 1 of x, 1 agent",
    ]);
  });
});

describe("runtime/api/rules/read-only-tools", () => {
  const tools = [
    serverTool("github", ["github_get_commit", "github_create_branch", "github_frobnicate"]),
  ];

  it("finds tools that write, and those of which nobody knows", () => {
    assert.deepEqual(found(readOnlyTools, tools), [
      'error tools[0].mcpServer.toolNames[1]: github_create_branch writes: only git-agent may, and agents annotated kagent.dev/allow-writes: "true"',
      "warning tools[0].mcpServer.toolNames[2]: whether github_frobnicate writes is not known: its name tells nothing",
    ]);
  });

  it("finds an entry that allows every tool", () => {
    assert.deepEqual(found(readOnlyTools, [serverTool("github", [])]), [
      "error tools[0].mcpServer.toolNames: names no tools, so every tool of github may be called, writes too",
    ]);
  });

  it("lets the writers and annotated agents write", () => {
    assert.deepEqual(
      found((agent, set) => readOnlyTools(agent, set, ["a"]), tools),
      [],
    );
    const annotated = (value: string) => ({ annotations: { "kagent.dev/allow-writes": value } });
    assert.deepEqual(found(readOnlyTools, tools, {}, annotated("true")), []);
    assert.equal(found(readOnlyTools, tools, {}, annotated("yes")).length, 2);
  });
});

describe("runtime/api/rules/approvals", () => {
  const writes = ["github_create_branch", "github_push_files", "github_get_commit"];

  it("wants every tool that writes under requireApproval", () => {
    const tools = [serverTool("github", writes, { requireApproval: ["github_push_files"] })];
    assert.deepEqual(found(approvals, tools), [
      "error tools[0].mcpServer.toolNames[0]: github_create_branch writes and must be listed in requireApproval",
    ]);
  });

  it("is content with the mode that asks for every tool, not with the one for destructive tools", () => {
    const tools = [serverTool("github", writes)];
    assert.equal(found(approvals, tools, { approval: { mode: "destructive" } }).length, 2);
    assert.deepEqual(found(approvals, tools, { approval: { mode: "all" } }), []);
  });

  it("wants names, or a mode that covers what nobody named", () => {
    const tools = [serverTool("github", [])];
    assert.deepEqual(found(approvals, tools), [
      "error tools[0].mcpServer.toolNames: names no tools, so tools of github that write run without approval: list them, or set approval.mode",
    ]);
    for (const mode of ["destructive", "all"])
      assert.deepEqual(found(approvals, tools, { approval: { mode } }), []);
  });

  for (const tool of [
    "merge_pull_request",
    "github_merge_pull_request",
    "my-hub_delete_repository",
  ])
    it(`never allows ${tool}`, () => {
      const tools = [serverTool("github", [tool], { requireApproval: [tool] })];
      assert.deepEqual(found(approvals, tools, { approval: { mode: "all" } }), [
        `error tools[0].mcpServer.toolNames[0]: ${tool} is not for agents, with or without approval`,
      ]);
    });
});

describe("runtime/api/rules/tool-names", () => {
  const rule: Rule = (agent, set) => toolNames(agent, set, ["services-amer", "edge-emea"]);
  const CASES: readonly (readonly [string, string, readonly string[], readonly string[]])[] = [
    ["takes prefixed names", "k8s-tools-federated", ["k8s-tools-edge-emea_k8s_get_events"], []],
    ["takes any name of a server that is not ours", "mine", ["getThings", "a_b"], []],
    [
      "wants a prefix",
      "k8s-tools-federated",
      ["k8s_get_events"],
      [
        "error 0: tools of k8s-tools-federated begin with k8s-tools-<cluster>_, this is k8s_get_events",
      ],
    ],
    [
      "wants the server's own prefix",
      "github-mcp-server",
      ["grafana_query_prometheus"],
      ["error 0: tools of github-mcp-server begin with github_, this is grafana_query_prometheus"],
    ],
    [
      "wants a cluster that exists",
      "k8s-tools-federated",
      ["k8s-tools-services-emea_k8s_get_events"],
      ['error 0: there is no cluster services-emea; did you mean "services-amer"?'],
    ],
    [
      "doubts a tool that the catalogue does not know",
      "k8s-tools-federated",
      ["k8s-tools-edge-emea_k8s_get_event"],
      [
        'warning 0: the catalogue knows no tool k8s_get_event of k8s; did you mean "k8s_get_events"?',
      ],
    ],
    [
      "refuses a name that models' providers refuse",
      "mine",
      ["x".repeat(65), "y".repeat(64)],
      ["error 0: has 65 characters, at most 64"],
    ],
  ];
  for (const [what, server, names, expected] of CASES)
    it(what, () => {
      const lines = found(rule, [serverTool(server, names)]);
      assert.deepEqual(
        lines.map((line) => line.replace(/tools\[0\]\.mcpServer\.toolNames\[(\d)\]/, "$1")),
        expected,
      );
    });

  it("takes any cluster where none are named", () => {
    assert.deepEqual(
      found(toolNames, [serverTool("k8s-tools-federated", ["k8s-tools-x_k8s_get_events"])]),
      [],
    );
  });

  it("finds a name that is offered twice, by whatever server", () => {
    assert.deepEqual(found(toolNames, [serverTool("x", ["a", "b", "a"]), serverTool("y", ["b"])]), [
      "error tools[0].mcpServer.toolNames[2]: a is at spec.declarative.tools[0].mcpServer.toolNames[0] already",
      "error tools[1].mcpServer.toolNames[0]: b is at spec.declarative.tools[0].mcpServer.toolNames[1] already",
    ]);
  });
});
