import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { type ReferenceOptions, references } from "../../../../runtime/api/rules/references.ts";
import {
  agentInput,
  agentOf,
  agentTool,
  modelInput,
  serverInput,
  serverTool,
  setOf,
} from "./objects.ts";

function found(inputs: readonly unknown[], options: ReferenceOptions = {}) {
  const set = setOf(...inputs);
  return references(agentOf(set, "a"), set, options).map(
    ({ severity, path, message }) =>
      `${severity} ${path.replace("spec.declarative.", "")}: ${message}`,
  );
}
const other = (spec = {}) => agentInput("b", {}, spec, { namespace: "other" });
const calls = [modelInput(), agentInput("a", { tools: [agentTool("b", "other")] })];
const from = (allowedNamespaces: unknown, options: ReferenceOptions = {}) =>
  found([...calls, other({ allowedNamespaces })], options);

describe("runtime/api/rules/references", () => {
  it("finds nothing where every reference resolves", () => {
    const routing = {
      rules: [{ name: "r", keywords: ["xx"], agent: { name: "b" } }],
      onNoMatch: { agent: { name: "b", namespace: "ns" } },
    };
    const a = agentInput("a", {
      modelConfig: "fast",
      memory: { modelConfig: "fast" },
      context: { compaction: { summarizer: { modelConfig: "fast" } } },
      tools: [agentTool("b"), serverTool("k8s", ["x"])],
      handoffs: [{ when: "true", agent: { name: "b" } }],
      routing,
    });
    const fast = modelInput({}, { name: "fast" });
    assert.deepEqual(found([a, agentInput("b"), fast, serverInput("k8s")]), []);
  });

  it("finds every reference that leads nowhere, with what may have been meant", () => {
    const a = agentInput("a", {
      modelConfig: "fats",
      memory: { modelConfig: "embed" },
      context: { compaction: { summarizer: { modelConfig: "small" } } },
      tools: [agentTool("bee"), serverTool("k8s-tool", ["x"]), agentTool("b", "nowhere")],
      handoffs: [{ when: "true", agent: { name: "c" } }],
    });
    const set = [a, agentInput("bees"), modelInput({}, { name: "fast" }), serverInput("k8s-tools")];
    assert.deepEqual(found(set), [
      'error modelConfig: ModelConfig ns/fats does not exist; did you mean "fast"?',
      "error context.compaction.summarizer.modelConfig: ModelConfig ns/small does not exist",
      "error memory.modelConfig: ModelConfig ns/embed does not exist",
      'error tools[1].mcpServer: RemoteMCPServer ns/k8s-tool does not exist; did you mean "k8s-tools"?',
      'error tools[0].agent: Agent ns/bee does not exist; did you mean "bees"?',
      "error tools[2].agent: Agent nowhere/b does not exist",
      "error handoffs[0].agent: Agent ns/c does not exist",
    ]);
  });

  it("wants the default model of an agent that names none", () => {
    assert.deepEqual(found([agentInput("a")]), [
      "error modelConfig: ModelConfig ns/default-model-config does not exist",
    ]);
  });

  it("looks for models in the agent's own namespace only", () => {
    const elsewhere = modelInput({}, { namespace: "other" });
    assert.equal(found([agentInput("a"), elsewhere]).length, 1);
  });

  it("wants every agent that a route goes to or reads from among the tools", () => {
    const a = agentInput("a", {
      tools: [agentTool("cluster")],
      handoffs: [{ when: "true", agent: { name: "git" } }],
      routing: {
        rules: [
          { name: "r", keywords: ["xx"], agent: { name: "cluster" } },
          { name: "s", keywords: ["yy"], agent: { name: "git" } },
          {
            name: "t",
            keywords: ["zz"],
            agent: { name: "cluster" },
            readFirst: { name: "git" },
          },
        ],
        onNoMatch: { agent: { name: "clusters" } },
      },
    });
    assert.deepEqual(found([a, agentInput("cluster"), agentInput("git"), modelInput()]), [
      "error routing.rules[1].agent: Agent ns/git must be a tool of type Agent too",
      "error routing.rules[2].readFirst: Agent ns/git must be a tool of type Agent too",
      'error routing.onNoMatch.agent: Agent ns/clusters must be a tool of type Agent too; did you mean "cluster"?',
    ]);
  });

  describe("of another namespace", () => {
    const refused =
      "error tools[0].agent: Agent other/b may not be used from namespace ns: see its spec.allowedNamespaces";
    const depends =
      "warning tools[0].agent: whether Agent other/b may be used from namespace ns depends on the namespace's labels";
    const labels = (entries: Readonly<Record<string, string>>) => ({
      namespaceLabels: new Map([["ns", entries]]),
    });
    const expression = (key: string, operator: string, values?: readonly string[]) => ({
      from: "Selector",
      selector: { matchExpressions: [{ key, operator, ...(values !== undefined && { values }) }] },
    });
    const NAME = "kubernetes.io/metadata.name";

    it("are refused unless the target allows them", () => {
      assert.deepEqual(found([...calls, other()]), [refused]);
      assert.deepEqual(from({ from: "Same" }), [refused]);
      assert.deepEqual(from({ from: "All" }), []);
    });

    it("are judged by the label every namespace has", () => {
      assert.deepEqual(from({ from: "Selector", selector: { matchLabels: { [NAME]: "ns" } } }), []);
      assert.deepEqual(from({ from: "Selector", selector: { matchLabels: { [NAME]: "x" } } }), [
        refused,
      ]);
    });

    it("are judged by labels where those are known, and left open where not", () => {
      const selected = { from: "Selector", selector: { matchLabels: { team: "a" } } };
      assert.deepEqual(from(selected), [depends]);
      assert.deepEqual(from(selected, labels({ team: "a" })), []);
      assert.deepEqual(from(selected, labels({ team: "b" })), [refused]);
      assert.deepEqual(from(selected, labels({})), [refused]);
    });

    for (const [operator, values, entries, allowed] of [
      ["In", ["a", "b"], { team: "b" }, true],
      ["In", ["a"], {}, false],
      ["NotIn", ["a"], {}, true],
      ["NotIn", ["a"], { team: "a" }, false],
      ["Exists", undefined, { team: "" }, true],
      ["Exists", undefined, {}, false],
      ["DoesNotExist", undefined, {}, true],
      ["DoesNotExist", undefined, { team: "a" }, false],
    ] as const)
      it(`are ${allowed ? "allowed" : "refused"} by ${operator} for ${JSON.stringify(entries)}`, () => {
        assert.deepEqual(
          from(expression("team", operator, values), labels(entries)),
          allowed ? [] : [refused],
        );
      });

    it("hold for tool servers too", () => {
      const a = agentInput("a", { tools: [serverTool("k8s", ["x"], { namespace: "other" })] });
      const server = (spec: object) => serverInput("k8s", { ...spec }, { namespace: "other" });
      assert.equal(found([modelInput(), a, server({})]).length, 1);
      assert.deepEqual(
        found([modelInput(), a, server({ allowedNamespaces: { from: "All" } })]),
        [],
      );
    });
  });

  it("says what kinds of tool servers it cannot judge or does not know", () => {
    const tool = (kind: string | undefined, namespace?: string) => ({
      type: "McpServer",
      mcpServer: {
        name: "k8s",
        ...(kind !== undefined && { kind }),
        ...(namespace !== undefined && { namespace }),
      },
    });
    const a = agentInput("a", {
      tools: [
        tool("MCPServer"),
        tool("Service", "other"),
        tool("RemoteMcpServer"),
        tool(undefined),
      ],
    });
    assert.deepEqual(found([modelInput(), a]), [
      "warning tools[0].mcpServer: MCPServer ns/k8s is not served by this platform and was not looked up",
      "error tools[1].mcpServer: a Service of another namespace cannot be used",
      'error tools[2].mcpServer.kind: unknown kind of tool server; did you mean "RemoteMCPServer"?',
      "warning tools[3].mcpServer: MCPServer ns/k8s is not served by this platform and was not looked up",
    ]);
    assert.deepEqual(
      found([modelInput(), agentInput("a", { tools: [tool(undefined)] }), serverInput("k8s")]),
      ['error tools[0].mcpServer.kind: ns/k8s is a RemoteMCPServer: set kind to "RemoteMCPServer"'],
    );
  });

  it("has nothing to say about an agent that brings its own image", () => {
    const byo = agentInput(
      "a",
      {},
      { type: "BYO", declarative: undefined, byo: { deployment: { image: "i" } } },
    );
    assert.deepEqual(found([byo]), []);
  });
});
