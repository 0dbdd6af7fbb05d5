import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { ApiResource } from "../../../../runtime/api/cluster-reader.ts";
import { API_RESOURCES } from "../../../../runtime/toolservers/demo/api-resources.ts";
import {
  findResourceTypes,
  typeText,
} from "../../../../runtime/toolservers/kubernetes/resource-types.ts";

/** A second kind with the plural of a core one. */
const KNATIVE: ApiResource = {
  group: "serving.knative.dev",
  version: "v1",
  kind: "Service",
  plural: "services",
  singular: "service",
  shortNames: ["ksvc"],
  categories: [],
  namespaced: true,
  verbs: ["get", "list"],
};
const SERVED = [...API_RESOURCES, KNATIVE];

function found(text: string): readonly string[] {
  const match = findResourceTypes(text, SERVED);
  return match.ok ? match.resources.map(typeText) : [`? ${match.suggestions.join(" ")}`];
}

describe("runtime/toolservers/kubernetes/resource-types", () => {
  for (const [text, expected] of [
    ["deploy", ["Deployment"]],
    ["Deployments", ["Deployment"]],
    ["deployments.apps", ["Deployment"]],
    ["deployment.v1.apps", ["Deployment"]],
    ["hr", ["HelmRelease.helm.toolkit.fluxcd.io"]],
    ["services", ["Service"]],
    ["services.serving.knative.dev", ["Service.serving.knative.dev"]],
    ["ksvc", ["Service.serving.knative.dev"]],
    [" po , svc ", ["Pod", "Service"]],
    ["po,pods", ["Pod"]],
    ["servces", ["? services"]],
    ["", ["? "]],
    [",", ["? "]],
  ] as const)
    it(`reads ${JSON.stringify(text)} as ${expected.join(", ")}`, () => {
      assert.deepEqual(found(text), expected);
    });

  it("reads a category as all its kinds, twelve at most", () => {
    const many = Array.from({ length: 20 }, (_, index) => ({
      ...KNATIVE,
      plural: `k${index}`,
      singular: "",
      kind: `K${index}`,
      shortNames: [],
      categories: ["mine"],
    }));
    const match = findResourceTypes("mine", many);
    assert.equal(match.ok && match.resources.length, 12);
    assert.ok(found("all").includes("Pod"));
  });

  it("leaves out kinds that can only be written, such as reviews", () => {
    const review = {
      ...KNATIVE,
      plural: "reviews",
      kind: "Review",
      singular: "review",
      shortNames: [],
      verbs: ["create"],
    };
    assert.equal(findResourceTypes("reviews", [review]).ok, false);
  });
});
