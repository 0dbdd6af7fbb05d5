import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { sentence } from "../../../runtime/api/checked.ts";
import { customResourceDefinitions } from "../../../runtime/api/crd.ts";
import { type Kind, PLURALS } from "../../../runtime/api/names.ts";
import {
  Agent,
  type AgentInput,
  type KagentObject,
  ModelConfig,
  objectKey,
  parseObject,
  RemoteMcpServer,
} from "../../../runtime/api/objects.ts";
import { agent } from "./cases/agent-cases.ts";
import { arbitraryMistake, arbitraryObject } from "./cases/arbitrary-object.ts";
import { modelProviderConfig } from "./cases/model-provider-config-cases.ts";
import { remoteMcpServer } from "./cases/remote-mcp-server-cases.ts";

const KINDS = Object.keys(PLURALS) as Kind[];

/** 80 objects of a kind: each takes milliseconds to make. */
const RUNS = 80;
/** 25: ten is usual; a schema that loses its fast path, or a rule compiled each time, costs a hundred. */
const MAX_COPIES = 25;
const RULES = ruleMessages(customResourceDefinitions());

/** Messages of all rules in a CRD, wherever they stand. */
function ruleMessages(node: unknown): readonly string[] {
  if (typeof node !== "object" || node === null) return [];
  return Object.entries(node).flatMap(([key, value]) =>
    key === "x-kubernetes-validations"
      ? (value as readonly { message: string }[]).map(({ message }) => message)
      : ruleMessages(value),
  );
}

function isOfRule(message: string): boolean {
  return RULES.some((rule) => message.startsWith(rule));
}

function problems(input: unknown): string {
  const parsed = parseObject(input);
  return parsed.ok ? "" : sentence(parsed.violations);
}

function sound(input: unknown): KagentObject {
  const parsed = parseObject(input);
  assert.ok(parsed.ok, problems(input));
  return parsed.value;
}

describe("runtime/api/objects", () => {
  it("fills in the defaults of what is there, and nothing else", () => {
    assert.deepEqual(sound(agent({ declarative: { limits: {} } })), {
      apiVersion: "kagent.dev/v1alpha2",
      kind: "Agent",
      metadata: { name: "sample" },
      spec: {
        type: "Declarative",
        declarative: {
          runtime: "go",
          envelope: "none",
          limits: {
            maxModelCalls: 50,
            maxToolCalls: 100,
            maxDuration: "30m",
            maxParallelTools: 8,
            repeatedCalls: "allow",
          },
        },
      },
    });
  });

  it("does not change its input", () => {
    const input = agent({ declarative: { systemMessage: null, limits: {} } });
    const before = structuredClone(input);
    parseObject(input);
    assert.deepEqual(input, before);
  });

  it("types what authors write without the defaults", () => {
    const input = {
      apiVersion: "kagent.dev/v1alpha2",
      kind: "Agent",
      metadata: { name: "a" },
      spec: { declarative: { tools: [{ type: "Agent", agent: { name: "b" } }] } },
    } as const satisfies AgentInput;
    const parsed = sound(structuredClone(input)) as Agent;
    assert.equal(parsed.spec.declarative?.runtime, "go");
  });

  for (const [what, input, said] of [
    ["nothing", undefined, "is required"],
    ["a list", [], "must be an object, is a list"],
    ["text", "kind: Agent", "must be an object, is a string"],
    ["an empty object", {}, "apiVersion: is required; kind: is required"],
    [
      "a kind that is none",
      { ...agent({}), kind: "agent" },
      'kind: unknown kind, must be "Agent", "ModelConfig", "RemoteMCPServer" or "ModelProviderConfig"; did you mean "Agent"?',
    ],
    [
      "a name of every object's prototype as kind",
      { ...agent({}), kind: "constructor" },
      'kind: unknown kind, must be "Agent", "ModelConfig", "RemoteMCPServer" or "ModelProviderConfig"',
    ],
    [
      "another version",
      { ...agent({}), apiVersion: "kagent.dev/v1alpha1" },
      'apiVersion: must be "kagent.dev/v1alpha2"',
    ],
    [
      "an object of somebody else",
      { apiVersion: "v1", kind: "Pod" },
      'apiVersion: must be "kagent.dev/v1alpha2"; not an object of kagent.dev',
    ],
    [
      "an object without metadata and spec",
      { apiVersion: "kagent.dev/v1alpha2", kind: "Agent" },
      "metadata: is required; spec: is required",
    ],
    [
      "a field beside the spec",
      { ...agent({ declarative: {} }), sepc: {} },
      'sepc: unknown field "sepc"; did you mean "spec"?',
    ],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.equal(problems(input), said);
    });
  }

  it("finds what is wrong in all places at once", () => {
    const input = agent(
      {
        declarative: { tools: [{ type: "Agent" }], stream: 1, retry: { maxAttempts: 9 } },
        tools: [],
      },
      { name: "A" },
    );
    assert.deepEqual(
      problems(input)
        .split("; ")
        .map((text) => text.split(":")[0]),
      [
        "metadata.name",
        "spec.declarative.stream",
        "spec.declarative.tools[0]",
        "spec.declarative.retry.maxAttempts",
        "spec.tools",
      ],
    );
  });

  it("has a schema of each kind that takes no other kind", () => {
    const object = remoteMcpServer({});
    assert.equal(RemoteMcpServer.safeParse(object).success, true);
    assert.equal(Agent.safeParse(object).success, false);
    assert.equal(ModelConfig.safeParse(object).success, false);
  });

  it("takes whatever a status says, and reads the conditions in it", () => {
    const condition = {
      type: "Accepted",
      status: "True",
      reason: "Reconciled",
      message: "m",
      observedGeneration: 2,
      lastTransitionTime: "2026-01-01T00:00:00Z",
    };
    const status = {
      observedGeneration: "two",
      conditions: [condition, { type: "Ready" }, 5],
      discoveredTools: [{ name: "a" }],
      more: { of: "it" },
    };
    const parsed = sound({ ...remoteMcpServer({}), status });
    assert.deepEqual(parsed.status, {
      observedGeneration: undefined,
      conditions: [condition],
      discoveredTools: [{ name: "a", description: "" }],
      more: { of: "it" },
    });
    assert.deepEqual(sound({ ...remoteMcpServer({}), status: { conditions: "none" } }).status, {
      conditions: [],
    });
  });

  it("reads what a status says of models", () => {
    const status = { discoveredModels: ["a", "b"], modelCount: 2, lastDiscoveryTime: "then" };
    const object = modelProviderConfig({ type: "Ollama" });
    assert.deepEqual(sound({ ...object, status }).status, status);
    assert.deepEqual(
      sound({ ...object, status: { discoveredModels: "a", modelCount: "2" } }).status,
      {
        discoveredModels: undefined,
        modelCount: undefined,
      },
    );
  });

  it("keys an object by kind, namespace and name", () => {
    const { metadata, kind } = sound(agent({ declarative: {} }));
    assert.equal(objectKey({ kind, metadata }), "Agent/kagent/sample");
    assert.equal(objectKey({ kind, metadata }, "other"), "Agent/other/sample");
    const named = { ...metadata, namespace: "qa" };
    assert.equal(objectKey({ kind, metadata: named }, "other"), "Agent/qa/sample");
  });

  for (const kind of KINDS) {
    it(`reads what it made of a ${kind} as the same`, () => {
      let taken = 0;
      fc.assert(
        fc.property(arbitraryObject(kind), (object) => {
          const once = parseObject(object);
          if (!once.ok) {
            // Every bound is kept: only rules can be broken.
            for (const { message } of once.violations) assert.ok(isOfRule(message), message);
            return;
          }
          taken++;
          const twice = parseObject(once.value);
          assert.deepEqual(twice, once);
        }),
        { numRuns: RUNS },
      );
      assert.ok(taken > RUNS / 20, `only ${taken} objects of ${RUNS} kept the rules`);
    });

    it(`answers to any mistake in a ${kind}`, () => {
      fc.assert(
        fc.property(arbitraryMistake(kind), (object) => {
          const parsed = parseObject(object);
          if (parsed.ok) return;
          assert.ok(parsed.violations.length > 0);
          for (const { path, message } of parsed.violations) {
            assert.match(path, /^spec/);
            assert.notEqual(message, "");
          }
        }),
        { numRuns: RUNS },
      );
    });

    it(`throws for nothing that calls itself a ${kind}`, () => {
      fc.assert(
        fc.property(anything(), anything(), anything(), (metadata, spec, status) => {
          parseObject({ apiVersion: "kagent.dev/v1alpha2", kind, metadata, spec, status });
        }),
      );
    });
  }

  it("throws for nothing at all", () => {
    fc.assert(
      fc.property(anything(), (input) => {
        parseObject(input);
      }),
    );
  });

  it("checks 10,000 agents with five tools each at the cost of copying them a few times", function () {
    this.timeout(60_000);
    const mcp = {
      kind: "RemoteMCPServer",
      name: "k8s",
      toolNames: ["a", "b"],
      requireApproval: ["a"],
    };
    const tool = { type: "McpServer", mcpServer: mcp };
    const other = { type: "Agent", agent: { name: "b" } };
    const sample = agent({
      declarative: {
        systemMessage: "You look after pods.",
        tools: [tool, tool, tool, tool, other],
        a2aConfig: { skills: [{ id: "a", name: "a", tags: ["b"], examples: ["c", "d"] }] },
        context: { compaction: { tokenThreshold: 24_000 } },
      },
    });
    // A ratio, not seconds: both sides have the same machine and the same neighbours.
    const copy = processorMs(() => JSON.parse(JSON.stringify(sample)));
    const work = processorMs(() => sound(sample));
    assert.ok(work < copy * MAX_COPIES, `${work} ms beside ${copy} ms`);
  });

  it("says how many violations it leaves out", () => {
    const tools = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`field-${i}`, i]));
    const parsed = parseObject(agent({ declarative: tools }));
    assert.ok(!parsed.ok);
    assert.equal(parsed.violations.length, 101);
    assert.deepEqual(parsed.violations.at(-1), { path: "", message: "and 400 more violations" });
  });
});

function anything(): fc.Arbitrary<unknown> {
  return fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSet: true,
    withSparseArray: true,
    withTypedArray: true,
  });
}

/** Processor time of doing `work` 10,000 times. */
function processorMs(work: () => unknown): number {
  const before = process.cpuUsage();
  for (let i = 0; i < 10_000; i++) work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
