import { AGENT_FILES } from "../../api/agent-files/names.ts";
import type { Agent } from "../../api/objects.ts";

/**
 * `srt-settings.json` of a BYO Agent with `sandbox`: what its code sandbox may reach and write, key for key as kagent has
 * it. The platform's own worker reads `network` of `config.json` instead.
 */
export function sandboxFile({ spec }: Agent): Readonly<Record<string, string>> {
  if (spec.sandbox === undefined) return {};
  const settings = {
    filesystem: { allowWrite: [".", "/tmp"], denyRead: [], denyWrite: [] },
    network: { allowedDomains: spec.sandbox.network?.allowedDomains ?? [], deniedDomains: [] },
  };
  return { [AGENT_FILES.sandbox]: JSON.stringify(settings) };
}
