import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { describe, it } from "mocha";
import { checkedSpec } from "../../components/kagent-resource.ts";
import { deploy } from "../support/pulumi.ts";

const AGENT = { apiVersion: "kagent.dev/v1alpha2", kind: "Agent" } as const;

/** An output as those see it who wait for it. */
interface Awaitable {
  promise(): Promise<unknown>;
}

describe("components/checked", () => {
  it("checks a spec with an Output in it as soon as that is known, with the same paths", async () => {
    let broken: unknown;
    await deploy(() => {
      const spec = { declarative: { systemMessage: pulumi.output("x"), stream: "yes" } };
      // Under mocks nothing but the output itself settles: no resource may wait for it.
      const late = checkedSpec(AGENT, "late", spec) as unknown as Awaitable;
      broken = late.promise().catch((error: unknown) => error);
    });
    const error = await broken;
    assert.ok(pulumi.InputPropertiesError.isInstance(error), String(error));
    assert.deepEqual(
      error.errors.map(({ propertyPath }) => propertyPath),
      ["spec.declarative.stream"],
    );
  });
});
