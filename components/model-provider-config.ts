import * as pulumi from "@pulumi/pulumi";
import { API_VERSION } from "../runtime/api/names.ts";
import type { ModelProviderConfigInput } from "../runtime/api/objects.ts";
import { checkedSpec, kagentResource, type ResourceArgs } from "./kagent-resource.ts";

const OBJECT = { apiVersion: API_VERSION, kind: "ModelProviderConfig" } as const;

/** Arguments of {@link ModelProviderConfig}. */
export type ModelProviderConfigArgs = ResourceArgs<ModelProviderConfigInput>;

/**
 * A provider whose models the controller discovers: one `kagent.dev` ModelProviderConfig.
 *
 * @example
 * new ModelProviderConfig("ollama", { spec: { type: "Ollama", endpoint: "http://ollama:11434" } });
 */
export class ModelProviderConfig extends pulumi.ComponentResource {
  /** Name of the custom resource. */
  readonly providerName: pulumi.Output<string>;

  /**
   * @param name - Unique name of the component; also the name of the custom resource.
   * @throws pulumi.InputPropertiesError naming every broken rule; nothing is registered then.
   */
  constructor(name: string, args: ModelProviderConfigArgs, opts?: pulumi.ComponentResourceOptions) {
    const spec = checkedSpec(OBJECT, name, args.spec);
    super("kagent:index:ModelProviderConfig", name, {}, opts);
    const resource = kagentResource(OBJECT, name, { ...args, spec }, this);
    this.providerName = resource.metadata.name;
    this.registerOutputs({ providerName: this.providerName });
  }
}
