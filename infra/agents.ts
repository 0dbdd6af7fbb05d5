import type * as pulumi from "@pulumi/pulumi";
import { Agent } from "../components/agent.ts";
import { ModelConfig } from "../components/model-config.ts";
import { ModelProviderConfig } from "../components/model-provider-config.ts";
import { RemoteMcpServer } from "../components/remote-mcp-server.ts";
import { type KagentObjectInput, objectKey } from "../runtime/api/objects.ts";

/**
 * Makes a component of each definition.
 *
 * @returns The names of the agents.
 * @throws pulumi.InputPropertiesError for the first definition that breaks a rule, with all of its
 *   violations.
 */
export function agents(
  definitions: readonly KagentObjectInput[],
  opts: pulumi.ComponentResourceOptions,
): readonly pulumi.Output<string>[] {
  const names: pulumi.Output<string>[] = [];
  for (const definition of definitions) {
    const { name, namespace, labels, annotations } = definition.metadata;
    const metadata = {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    };
    switch (definition.kind) {
      case "Agent":
        names.push(new Agent(name, { ...metadata, spec: definition.spec }, opts).agentName);
        break;
      case "ModelConfig":
        new ModelConfig(name, { ...metadata, spec: definition.spec }, opts);
        break;
      case "ModelProviderConfig":
        new ModelProviderConfig(name, { ...metadata, spec: definition.spec }, opts);
        break;
      case "RemoteMCPServer":
        new RemoteMcpServer(name, { ...metadata, spec: definition.spec }, opts);
        break;
      default:
        definition satisfies never;
        throw new TypeError(`no component for ${objectKey(definition)}`);
    }
  }
  return names;
}
