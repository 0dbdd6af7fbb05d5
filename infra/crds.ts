import * as k8s from "@pulumi/kubernetes";
import type * as pulumi from "@pulumi/pulumi";
import { customResourceDefinitions } from "../runtime/api/crd.ts";

/**
 * The definitions of every kind that the platform serves.
 *
 * @returns The resources that objects of these kinds depend on.
 */
export function crds(opts: pulumi.CustomResourceOptions): readonly pulumi.Resource[] {
  return customResourceDefinitions().map((definition) => {
    const { metadata, spec } = definition as unknown as Crd;
    return new k8s.apiextensions.v1.CustomResourceDefinition(
      metadata.name,
      { metadata, spec },
      opts,
    );
  });
}

/** A definition as `runtime/api` makes it, which knows nothing of Pulumi's types. */
interface Crd {
  readonly metadata: { readonly name: string };
  readonly spec: k8s.types.input.apiextensions.v1.CustomResourceDefinitionSpec;
}
