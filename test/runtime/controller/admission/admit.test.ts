import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { type KagentObject, parseObject } from "../../../../runtime/api/objects.ts";
import { admissionApp, dryRunApp } from "../../../../runtime/controller/admission/admission-app.ts";
import type { AdmissionDeps } from "../../../../runtime/controller/admission/admit.ts";

const META = { apiVersion: "kagent.dev/v1alpha2" } as const;

function agent(name: string, declarative: object = {}, over: object = {}): object {
  return {
    ...META,
    kind: "Agent",
    metadata: { name, namespace: "kagent" },
    spec: {
      type: "Declarative",
      declarative: { systemMessage: "You help.", ...declarative },
      ...over,
    },
  };
}

const callsAgent = (name: string) => ({ type: "Agent", agent: { name } });

function stored(...inputs: readonly object[]): readonly KagentObject[] {
  return inputs.map((input) => {
    const parsed = parseObject(input);
    assert.ok(parsed.ok);
    return parsed.value;
  });
}

function deps(over: Partial<AdmissionDeps> = {}): AdmissionDeps {
  return {
    objects: () => [],
    namespaceLabels: () => new Map(),
    checkWorkload: () => Promise.resolve([]),
    ...over,
  };
}

interface Answer {
  readonly response: {
    readonly uid: string;
    readonly allowed: boolean;
    readonly warnings?: readonly string[];
    readonly status?: {
      readonly message: string;
      readonly details: { readonly causes: readonly { field: string }[] };
    };
  };
}

async function review(object: unknown, over: Partial<AdmissionDeps> = {}, operation = "CREATE") {
  const response = await admissionApp(deps(over)).request("/validate", {
    method: "POST",
    body: JSON.stringify({
      apiVersion: "admission.k8s.io/v1",
      kind: "AdmissionReview",
      request: { uid: "u1", operation, namespace: "kagent", object },
    }),
  });
  assert.equal(response.status, 200);
  const answer = (await response.json()) as Answer;
  assert.equal(answer.response.uid, "u1");
  return answer.response;
}

const fields = ({ status }: Answer["response"]) =>
  (status?.details.causes ?? []).map(({ field }) => field);

describe("runtime/controller/admission", () => {
  it("admits a sound agent and warns of what is missing yet", async () => {
    const { allowed, warnings = [] } = await review(agent("a", { tools: [callsAgent("later")] }));
    assert.ok(allowed);
    assert.ok(warnings.some((line) => line.includes("Agent kagent/later does not exist")));
    assert.ok(warnings.some((line) => line.includes("default-model-config")));
  });

  it("refuses with every violation at once", async () => {
    const answer = await review(
      agent("a", {
        systemMessage: "",
        deployment: { extraContainers: [{ name: "kagent" }, { name: "x" }, { name: "x" }] },
        routing: { rules: [{ name: "r", keywords: ["pods"], agent: { name: "not-a-tool" } }] },
      }),
    );
    assert.ok(!answer.allowed);
    assert.deepEqual(fields(answer).toSorted(), [
      "spec.declarative.deployment.extraContainers[0].name",
      "spec.declarative.deployment.extraContainers[2].name",
      "spec.declarative.routing.rules[0].agent",
      "spec.declarative.systemMessage",
    ]);
    assert.match(answer.status?.message ?? "", /systemMessage: is required.*; /);
  });

  it("refuses what breaks the schema with every path", async () => {
    const answer = await review(agent("a", { runtime: "rust", stream: "yes" }));
    assert.deepEqual(fields(answer), ["spec.declarative.runtime", "spec.declarative.stream"]);
  });

  it("refuses an agent of type BYO without an image", async () => {
    const byo = { ...agent("b"), spec: { type: "BYO", byo: { deployment: {} } } };
    assert.deepEqual(fields(await review(byo)), ["spec.byo.deployment.image"]);
  });

  it("refuses the agent that closes a circle, at its own call", async () => {
    const others = stored(
      agent("b", { tools: [callsAgent("c")] }),
      agent("c", { tools: [callsAgent("a")] }),
    );
    const answer = await review(agent("a", { tools: [callsAgent("b")] }), {
      objects: () => others,
    });
    assert.deepEqual(fields(answer), ["spec.declarative.tools[0].agent"]);
    assert.match(
      answer.status?.message ?? "",
      /circle: kagent\/a -> kagent\/b -> kagent\/c -> kagent\/a/,
    );
    assert.ok((await review(agent("z"), { objects: () => others })).allowed);
  });

  it("judges a changed agent without its old self", async () => {
    const old = stored(agent("a", { tools: [callsAgent("b")] }), agent("b"));
    const now = agent("b", { tools: [callsAgent("c")] });
    assert.ok((await review(now, { objects: () => old }, "UPDATE")).allowed);
  });

  it("passes on what the API server says of the workload", async () => {
    const violations = [
      { path: "spec.declarative.deployment.volumes[0].name", message: "is wrong" },
    ];
    const answer = await review(agent("a"), { checkWorkload: () => Promise.resolve(violations) });
    assert.deepEqual(fields(answer), ["spec.declarative.deployment.volumes[0].name"]);
  });

  it("lets go whatever is deleted", async () => {
    assert.ok((await review(null, {}, "DELETE")).allowed);
  });

  for (const body of ["", "{", "[]", '{"kind":"AdmissionReview"}'])
    it(`answers 400 to ${JSON.stringify(body)}`, async () => {
      const answer = await admissionApp(deps()).request("/validate", { method: "POST", body });
      assert.equal(answer.status, 400);
    });

  it("judges without storing for people and pipelines", async () => {
    const ask = async (object: unknown) => {
      const body = JSON.stringify({ object });
      const answer = await dryRunApp(deps()).request("/api/validate", { method: "POST", body });
      return (await answer.json()) as { data: { allowed: boolean; violations: object[] } };
    };
    assert.ok((await ask(agent("a"))).data.allowed);
    const { data } = await ask(agent("a", { systemMessage: "" }));
    assert.deepEqual(data.violations, [
      {
        path: "spec.declarative.systemMessage",
        message: "is required, here or by systemMessageFrom",
      },
    ]);
  });
});
