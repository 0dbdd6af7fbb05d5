import * as pulumi from "@pulumi/pulumi";
import { API_VERSION } from "../runtime/api/names.ts";
import type { AgentInput } from "../runtime/api/objects.ts";
import { checkedSpec, kagentResource, type ResourceArgs } from "./kagent-resource.ts";

const OBJECT = { apiVersion: API_VERSION, kind: "Agent" } as const;

/** Arguments of {@link Agent}. */
export type AgentArgs = ResourceArgs<AgentInput>;

/**
 * An AI agent in a cluster: one `kagent.dev` Agent.
 *
 * @example
 * new Agent("triage", {
 *   spec: { type: "Declarative", declarative: { systemMessage: "Triage incidents." } },
 * });
 */
export class Agent extends pulumi.ComponentResource {
  /** Name of the custom resource: what `tools[].agent.name` of another agent refers to. */
  readonly agentName: pulumi.Output<string>;

  /**
   * @param name - Unique name of the component; also the name of the custom resource.
   * @throws pulumi.InputPropertiesError naming every broken rule; nothing is registered then.
   */
  constructor(name: string, args: AgentArgs, opts?: pulumi.ComponentResourceOptions) {
    const spec = checkedSpec(OBJECT, name, args.spec);
    super("kagent:index:Agent", name, {}, opts);
    const resource = kagentResource(OBJECT, name, { ...args, spec }, this);
    this.agentName = resource.metadata.name;
    this.registerOutputs({ agentName: this.agentName });
  }
}
