import assert from "node:assert/strict";
import * as pulumi from "@pulumi/pulumi";
import { describe, it } from "mocha";
import type { Kind } from "../../runtime/api/names.ts";
import type { ObjectCase } from "../runtime/api/cases/object-case.ts";
import { deploy, type Registered } from "../support/pulumi.ts";

/** Arguments of a component of one object, with a spec that may be anything. */
interface LooseArgs {
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly spec: unknown;
}

/** A component of one object. */
export interface ComponentCase {
  readonly kind: Kind;
  /** Type token of the component. */
  readonly type: string;
  /** Makes the component; returns the output with the name of its object. */
  readonly make: (
    name: string,
    args: LooseArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) => pulumi.Output<string>;
  /** A sound spec, and what the API server is sent for it. */
  readonly sound: Readonly<Record<string, unknown>>;
  readonly sent: Readonly<Record<string, unknown>>;
  /** The table of the kind's rules. */
  readonly cases: readonly ObjectCase[];
}

/** What every component of one object keeps. */
export function componentContract(component: ComponentCase): void {
  const { kind, type, make, sound, sent, cases } = component;
  const custom = `kubernetes:kagent.dev/v1alpha2:${kind}`;
  const inputsOf = (all: readonly Registered[]): Record<string, unknown> => {
    const [only, ...more] = all.filter((resource) => resource.type === custom);
    assert.ok(only !== undefined && more.length === 0, JSON.stringify(all));
    return only.inputs;
  };

  describe(`${type} as component of one object`, () => {
    it("registers one custom resource under its own name, defaults filled in", async () => {
      const registered = await deploy(() => {
        make("sample", { spec: sound });
      });
      assert.deepEqual(
        registered.map((resource) => [resource.type, resource.name]),
        [
          [type, "sample"],
          [custom, "sample"],
        ],
      );
      assert.deepEqual(inputsOf(registered), {
        apiVersion: "kagent.dev/v1alpha2",
        kind,
        metadata: { name: "sample", namespace: "kagent" },
        spec: sent,
      });
    });

    it("passes namespace, labels and annotations on", async () => {
      const metadata = { namespace: "other", labels: { a: "b" }, annotations: { c: "d" } };
      const registered = await deploy(() => {
        make("sample", { ...metadata, spec: sound });
      });
      assert.deepEqual(inputsOf(registered)["metadata"], { name: "sample", ...metadata });
    });

    it("is the parent of its object", async () => {
      const parents = new Map<string, unknown>();
      const components: pulumi.Resource[] = [];
      await deploy(() => {
        const transformations: pulumi.ResourceTransformation[] = [
          (args) => {
            parents.set(args.type, args.opts.parent);
            if (args.type === type) components.push(args.resource);
            return undefined;
          },
        ];
        make("sample", { spec: sound }, { transformations });
      });
      assert.equal(components.length, 1);
      assert.equal(parents.get(custom), components[0]);
    });

    it("tells the name of its object", async () => {
      let name: pulumi.Output<string> | undefined;
      await deploy(() => {
        name = make("sample", { spec: sound });
      });
      assert.ok(name !== undefined);
      assert.equal(await value(name), "sample");
    });

    it("takes a spec that is known later", async () => {
      const registered = await deploy(() => {
        make("sample", { spec: pulumi.output(Promise.resolve(sound)) });
      });
      assert.deepEqual(inputsOf(registered)["spec"], sent);
    });

    const broken = cases.filter(
      ({ paths }) => paths.length > 0 && paths.every((path) => path.startsWith("spec")),
    );
    it(`refuses ${broken.length} broken specs with all paths, and registers nothing`, async () => {
      const registered = await deploy(() => {
        for (const { claim, object, paths } of broken) {
          const { spec } = JSON.parse(JSON.stringify(object)) as { spec: unknown };
          assert.throws(
            () => make("sample", { spec }),
            (error) => {
              assert.ok(pulumi.InputPropertiesError.isInstance(error), String(error));
              assert.deepEqual(
                error.errors.map(({ propertyPath }) => propertyPath),
                paths,
                claim,
              );
              return true;
            },
            claim,
          );
        }
      });
      assert.ok(broken.length > 0);
      assert.deepEqual(registered, []);
    });
  });
}

function value<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => {
    output.apply(resolve);
  });
}
