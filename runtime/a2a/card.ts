import { AgentCard } from "@a2a-js/sdk";
import type { AgentConfig, AgentSkill } from "../api/agent-config.ts";

/** What a card is made of: the public side of an agent's configuration. */
export type CardSource = Pick<
  AgentConfig,
  "ref" | "description" | "version" | "iconUrl" | "documentationUrl" | "provider" | "skills"
>;

/** Versions of A2A that are served, as the header `A2A-Version` names them, the preferred one first. */
export const VERSIONS = ["1.0", "0.3"] as const;
/** A version that is served. */
export type Version = (typeof VERSIONS)[number];

/** What kagent's agents take and give unless a skill says otherwise (kagent-api section 3.1). */
const MODES = ["text"];

/**
 * Card of an agent for the SDK.
 *
 * @param url - Where its JSON-RPC is served, with the slash at the end.
 */
export function agentCard(source: CardSource, url: string): AgentCard {
  const interfaces = VERSIONS.map((protocolVersion) => ({
    url,
    protocolBinding: "JSONRPC",
    protocolVersion,
  }));
  return AgentCard.fromJSON({
    // kagent's runtime wants names that are identifiers
    name: source.ref.name.replaceAll("-", "_"),
    description: source.description,
    version: source.version,
    provider: source.provider,
    iconUrl: source.iconUrl,
    documentationUrl: source.documentationUrl,
    capabilities: { streaming: true, pushNotifications: false },
    defaultInputModes: MODES,
    defaultOutputModes: MODES,
    skills: source.skills,
    supportedInterfaces: interfaces,
  });
}

/**
 * Card as it is served: the pure 1.0 card, or one that clients of 0.3 and of 1.0 both read
 * (kagent-api section 3.1).
 */
export function cardJson(source: CardSource, url: string, version: Version): object {
  const required = {
    // the SDK leaves out what is empty; the specification wants these always
    description: source.description,
    skills: source.skills.map(skillJson),
  };
  const card = { ...Object(AgentCard.toJSON(agentCard(source, url))), ...required } as object;
  if (version === "1.0") return card;
  return { ...card, url, protocolVersion: "0.3", preferredTransport: "JSONRPC" };
}

function skillJson(skill: AgentSkill): object {
  const { id, name, description, tags, examples, inputModes, outputModes } = skill;
  return { id, name, description, tags, examples, inputModes, outputModes };
}
