import type { ObjectRef } from "../../api/names.ts";
import type { Meter } from "../../telemetry/meter.ts";
import type { AgentDirectory, AgentEntry } from "../agent-directory.ts";

type Servers = Pick<AgentDirectory, "server">;

/** Names of a RemoteMCPServer's tools; `undefined` when there is no such server or it never answered. */
export function toolsOf(ref: ObjectRef, directory: Servers): readonly string[] | undefined {
  return directory.server(ref)?.status?.discoveredTools?.map(({ name }) => name);
}

/** Sets the gauge of what an Agent may call: tools by name, else all that their server has, and Agents. */
export function countTools(
  { ref, config }: AgentEntry,
  { directory, meter }: { readonly directory: Servers; readonly meter: Meter },
): void {
  if (config === undefined) {
    forgetTools(ref, meter);
    return;
  }
  const tools = config.toolServers.reduce(
    (sum, { server, toolNames }) =>
      sum +
      (toolNames.length > 0 ? toolNames.length : (toolsOf(server.ref, directory)?.length ?? 0)),
    0,
  );
  meter.set("kagent_agent_tool_count", labelsOf(ref), tools + config.agents.length);
}

/** Takes the gauge of an Agent away. */
export function forgetTools(ref: ObjectRef, meter: Meter): void {
  meter.forget("kagent_agent_tool_count", labelsOf(ref));
}

function labelsOf({ name, namespace }: ObjectRef) {
  return { agent: name, namespace };
}
