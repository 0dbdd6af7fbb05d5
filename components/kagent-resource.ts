import * as k8s from "@pulumi/kubernetes";
import * as pulumi from "@pulumi/pulumi";
import { DEFAULT_NAMESPACE } from "../runtime/api/names.ts";
import { type KagentObject, type KagentObjectInput, parseObject } from "../runtime/api/objects.ts";
import { checked } from "./checked.ts";

/** Metadata of an object as a component takes it; the name is the component's. */
export interface ResourceMetadata {
  /** Namespace of the object; `kagent` unless set. */
  readonly namespace?: pulumi.Input<string>;
  /** Labels of the object. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Annotations of the object. */
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Arguments of a component that stands for one object: metadata, and its spec in clear or as an Output. */
export type ResourceArgs<Input extends KagentObjectInput> = ResourceMetadata & {
  /** Desired state, checked by the rules of the API before anything is registered. */
  readonly spec: pulumi.Input<Input["spec"]>;
};

/**
 * Checks the spec of an object the way the API server and the controller do.
 *
 * Plain values are checked at once; an Output as soon as it is known.
 *
 * @returns The spec with its defaults filled in.
 * @throws pulumi.InputPropertiesError naming every violation with its path.
 */
export function checkedSpec(
  object: Pick<KagentObjectInput, "apiVersion" | "kind">,
  name: string,
  spec: unknown,
): pulumi.Output<KagentObject["spec"]> {
  return checked(spec, (known) => {
    const parsed = parseObject({ ...object, metadata: { name }, spec: known });
    if (parsed.ok) return parsed.value.spec;
    throw new pulumi.InputPropertiesError({
      message: `${object.kind} ${name} is invalid`,
      errors: parsed.violations.map(({ path, message }) => ({
        propertyPath: path,
        reason: message,
      })),
    });
  });
}

/**
 * The custom resource of a component, under the component's own name: others refer to it by that.
 *
 * @param parent - The component.
 */
export function kagentResource(
  object: Pick<KagentObjectInput, "apiVersion" | "kind">,
  name: string,
  args: ResourceMetadata & { readonly spec: pulumi.Output<KagentObject["spec"]> },
  parent: pulumi.Resource,
): k8s.apiextensions.CustomResource {
  const { namespace = DEFAULT_NAMESPACE, labels, annotations, spec } = args;
  return new k8s.apiextensions.CustomResource(
    name,
    {
      apiVersion: object.apiVersion,
      kind: object.kind,
      metadata: {
        name,
        namespace,
        ...(labels === undefined ? {} : { labels }),
        ...(annotations === undefined ? {} : { annotations }),
      },
      spec,
    },
    { parent },
  );
}
