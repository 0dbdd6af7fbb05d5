import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { lintObjects, lintSources } from "../../../../runtime/api/rules/lint.ts";
import { lintManifests } from "../../../../runtime/api/rules/manifests.ts";
import {
  findingLine,
  hasErrors,
  jsonReport,
  textReport,
} from "../../../../runtime/api/rules/report.ts";
import { agentInput, agentTool, modelInput, serverInput, serverTool } from "./objects.ts";

const lines = (objects: readonly unknown[]) =>
  lintObjects(objects).map((finding) => findingLine("f", finding));

describe("runtime/api/rules/lint", () => {
  it("finds nothing wrong with a sound set", () => {
    const tools = [agentTool("b"), serverTool("k8s", ["k8s_get_events"])];
    assert.deepEqual(
      lines([agentInput("a", { tools }), agentInput("b"), modelInput(), serverInput("k8s")]),
      [],
    );
  });

  it("reports schema and rules object by object, in the order given", () => {
    const objects = [
      agentInput("z", { tools: [agentTool("broken"), agentTool("y")] }),
      agentInput("y", {
        systemMessage: "",
        tools: [agentTool("z"), serverTool("k8s", ["x_delete_all"])],
        routing: {
          rules: [{ name: "r", keywords: ["??"], agent: { name: "z" } }],
          onNoMatch: "model",
        },
      }),
      modelInput(),
      serverInput("k8s"),
      agentInput("broken", { tooools: [] }),
    ];
    assert.deepEqual(lines(objects), [
      "f: Agent ns/y: spec.declarative.systemMessage: is required, here or by systemMessageFrom",
      'f: Agent ns/y: spec.declarative.tools[1].mcpServer.toolNames[0]: x_delete_all writes: only git-agent may, and agents annotated kagent.dev/allow-writes: "true"',
      "f: Agent ns/y: spec.declarative.tools[1].mcpServer.toolNames[0]: x_delete_all writes and must be listed in requireApproval",
      "f: Agent ns/y: spec.declarative.routing.rules[0].keywords[0]: holds no letter or digit, so never matches",
      "f: Agent ns/y: spec.declarative.routing.onNoMatch: warning: the same text may go to different agents: a model chooses when no rule matches",
      "f: Agent ns/y: spec.declarative.tools[0].agent: agents call each other in a circle: ns/y -> ns/z -> ns/y",
      'f: Agent ns/broken: spec.declarative.tooools: unknown field "tooools"; did you mean "tools"?',
    ]);
  });

  it("takes a reference to an object that breaks its schema for resolved", () => {
    const broken = modelInput({ provider: "Olama" });
    assert.deepEqual(
      lintObjects([agentInput("a"), broken]).map(({ rule }) => rule),
      ["schema"],
    );
  });

  it("reports the second of two objects with one name, and nameless ones by position", () => {
    assert.deepEqual(lines([modelInput(), modelInput(), { kind: "Agent" }, 7, null]), [
      "f: ModelConfig ns/default-model-config: metadata.name: is there twice: an earlier object has the same name",
      "f: objects[2]: apiVersion: is required",
      "f: objects[3]: must be an object, is an integer",
      "f: objects[4]: must be an object, is null",
    ]);
  });

  it("fills in the namespace of objects that have none", () => {
    const bare = (object: { metadata: object }, name: string) => ({
      ...object,
      metadata: { name },
    });
    const objects = [bare(agentInput("a"), "a"), bare(modelInput(), "default-model-config")];
    assert.deepEqual(lintObjects(objects), []);
    assert.deepEqual(lintObjects([objects[0], modelInput()], { namespace: "ns" }), []);
    assert.equal(lintObjects([objects[0]], { namespace: "x" })[0]!.object, "Agent/x/a");
  });

  it("hands its options to the rules", () => {
    const tools = [
      serverTool("k8s-tools-federated", ["k8s-tools-a_k8s_scale", "k8s-tools-b_k8s_scale"]),
    ];
    const rules = (options: object) =>
      lintObjects(
        [agentInput("a", { tools }), modelInput(), serverInput("k8s-tools-federated")],
        options,
      ).map(({ rule }) => rule);
    assert.deepEqual(new Set(rules({})), new Set(["read-only-tools", "approvals"]));
    assert.ok(rules({ maxTools: 1 }).includes("tool-limits"));
    assert.ok(rules({ clusters: ["a"] }).includes("tool-names"));
    assert.ok(!rules({ writers: ["a"] }).includes("read-only-tools"));
    assert.equal(
      rules({ forbiddenTools: ["k8s_scale"] }).filter((rule) => rule === "approvals").length,
      2,
    );
  });

  it("never throws, whatever it is given", () => {
    fc.assert(
      fc.property(fc.array(fc.anything(), { maxLength: 5 }), (objects) => {
        lintObjects(objects);
        lintManifests([{ source: "f", documents: objects.map((value) => ({ value })) }]);
      }),
    );
  });

  it("gives each place its own findings of one set", () => {
    const sources = [
      { source: "a.yaml", objects: [agentInput("a", { tools: [agentTool("b")] }), modelInput()] },
      { source: "b.yaml", objects: [agentInput("b", { tools: [agentTool("c")] })] },
      { source: "c.yaml", objects: [agentInput("a")] },
    ];
    assert.deepEqual(
      lintSources(sources).map(({ source, objects, findings }) => [
        source,
        objects,
        findings.map(({ message }) => message),
      ]),
      [
        ["a.yaml", 2, []],
        ["b.yaml", 1, ["Agent ns/c does not exist"]],
        ["c.yaml", 1, ["is there twice: an earlier object has the same name"]],
      ],
    );
  });

  it("judges 10,000 agents with five tools each in time that grows with the set", () => {
    const set = (count: number) => [
      modelInput(),
      serverInput("k8s"),
      ...Array.from({ length: count }, (_, at) =>
        agentInput(`a${at}`, {
          tools: [
            ...[1, 2].map((step) => agentTool(`a${at - (at % 5) + Math.min(4, (at % 5) + step)}`)),
            ...[1, 2, 3].map((step) => serverTool("k8s", [`k8s_get_thing${step}`])),
          ].filter((tool) => !("agent" in tool) || tool.agent.name !== `a${at}`),
        }),
      ),
    ];
    const cpuMs = (count: number) => {
      const objects = set(count);
      const before = process.cpuUsage();
      assert.deepEqual(lintObjects(objects), []);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1000;
    };
    cpuMs(500);
    const [few, all] = [cpuMs(2500), cpuMs(10_000)];
    assert.ok(all < 12 * few + 200, `${few} ms, ${all} ms`);
    assert.ok(all < 6000, `${all} ms`);
  }).timeout(60_000);
});

describe("runtime/api/rules/manifests", () => {
  it("drops empty documents, opens lists, counts objects of other APIs and keeps what is broken", () => {
    const value = (object: unknown) => ({ value: object });
    const [linted] = lintManifests([
      {
        source: "f",
        documents: [
          value(null),
          value({
            apiVersion: "v1",
            kind: "List",
            items: [agentInput("a"), { apiVersion: "v1", kind: "Secret" }],
          }),
          value({
            apiVersion: "kagent.dev/v1alpha2",
            kind: "ModelConfigList",
            items: [modelInput()],
          }),
          value({ apiVersion: "apps/v1", kind: "Deployment" }),
          { problem: "bad indentation at line 3" },
          value("text"),
        ],
      },
    ]);
    assert.deepEqual([linted!.objects, linted!.skipped], [3, 2]);
    assert.deepEqual(
      linted!.findings.map((finding) => findingLine("f", finding)),
      [
        "f: documents[4]: bad indentation at line 3",
        "f: objects[2]: must be an object, is a string",
      ],
    );
  });
});

describe("runtime/api/rules/report", () => {
  const finding = {
    rule: "r",
    object: "Agent/ns/a",
    path: "spec.x",
    message: "is\nwrong",
  } as const;
  const sources = [
    {
      source: "dev",
      objects: 3,
      skipped: 1,
      findings: [{ ...finding, severity: "error" as const }],
    },
    { source: "prod", objects: 1, findings: [{ ...finding, severity: "warning" as const }] },
  ];

  it("prints one line for each finding and the counts", () => {
    assert.equal(
      textReport(sources),
      "dev: Agent ns/a: spec.x: is wrong\nprod: Agent ns/a: spec.x: warning: is wrong\n" +
        "1 error, 1 warning in 4 objects of dev, prod (1 object of other APIs not checked)\n",
    );
    assert.equal(textReport([]), "0 errors, 0 warnings in 0 objects of \n");
  });

  it("prints the same as JSON", () => {
    const { findings, ...rest } = JSON.parse(jsonReport(sources)) as { findings: unknown[] };
    assert.deepEqual(findings[1], { source: "prod", ...finding, severity: "warning" });
    assert.deepEqual(rest, { errors: 1, warnings: 1, objects: 4 });
  });

  it("knows errors from warnings", () => {
    assert.equal(hasErrors(sources), true);
    assert.equal(hasErrors(sources.slice(1)), false);
  });
});
