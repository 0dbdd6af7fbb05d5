import * as pulumi from "@pulumi/pulumi";
import { API_VERSION } from "../runtime/api/names.ts";
import type { ModelConfigInput } from "../runtime/api/objects.ts";
import { checkedSpec, kagentResource, type ResourceArgs } from "./kagent-resource.ts";

const OBJECT = { apiVersion: API_VERSION, kind: "ModelConfig" } as const;

/** Arguments of {@link ModelConfig}. */
export type ModelConfigArgs = ResourceArgs<ModelConfigInput>;

/**
 * A language model that agents use: one `kagent.dev` ModelConfig.
 *
 * @example
 * new ModelConfig("fast-model-config", {
 *   spec: { provider: "Ollama", model: "qwen2.5:14b", ollama: { numCtx: 8192 } },
 * });
 */
export class ModelConfig extends pulumi.ComponentResource {
  /** Name of the custom resource: what `modelConfig` of an agent refers to. */
  readonly modelConfigName: pulumi.Output<string>;

  /**
   * @param name - Unique name of the component; also the name of the custom resource.
   * @throws pulumi.InputPropertiesError naming every broken rule; nothing is registered then.
   */
  constructor(name: string, args: ModelConfigArgs, opts?: pulumi.ComponentResourceOptions) {
    const spec = checkedSpec(OBJECT, name, args.spec);
    super("kagent:index:ModelConfig", name, {}, opts);
    const resource = kagentResource(OBJECT, name, { ...args, spec }, this);
    this.modelConfigName = resource.metadata.name;
    this.registerOutputs({ modelConfigName: this.modelConfigName });
  }
}
