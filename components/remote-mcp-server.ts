import * as pulumi from "@pulumi/pulumi";
import { API_VERSION } from "../runtime/api/names.ts";
import type { RemoteMcpServerInput } from "../runtime/api/objects.ts";
import { checkedSpec, kagentResource, type ResourceArgs } from "./kagent-resource.ts";

const OBJECT = { apiVersion: API_VERSION, kind: "RemoteMCPServer" } as const;

/** Arguments of {@link RemoteMcpServer}. */
export type RemoteMcpServerArgs = ResourceArgs<RemoteMcpServerInput>;

/**
 * An MCP server whose tools agents use: one `kagent.dev` RemoteMCPServer.
 *
 * @example
 * new RemoteMcpServer("k8s-tools-federated", {
 *   spec: { description: "Kubernetes", url: "http://gateway:9090/mcp/k8s" },
 * });
 */
export class RemoteMcpServer extends pulumi.ComponentResource {
  /** Name of the custom resource: what `tools[].mcpServer.name` of an agent refers to. */
  readonly serverName: pulumi.Output<string>;

  /**
   * @param name - Unique name of the component; also the name of the custom resource.
   * @throws pulumi.InputPropertiesError naming every broken rule; nothing is registered then.
   */
  constructor(name: string, args: RemoteMcpServerArgs, opts?: pulumi.ComponentResourceOptions) {
    const spec = checkedSpec(OBJECT, name, args.spec);
    super("kagent:index:RemoteMcpServer", name, {}, opts);
    const resource = kagentResource(OBJECT, name, { ...args, spec }, this);
    this.serverName = resource.metadata.name;
    this.registerOutputs({ serverName: this.serverName });
  }
}
