import type { CardSource } from "../../a2a/card.ts";
import type { AgentEntry } from "../agent-directory.ts";

/** Version on the card of an Agent that names none. */
const DEFAULT_VERSION = "1.0.0";

/** The public side of an Agent: of its resolved configuration, else as far as its own object tells it. */
export function cardSource({ ref, object, config }: AgentEntry): CardSource {
  if (config !== undefined) return config;
  const {
    description = "",
    version = DEFAULT_VERSION,
    iconUrl,
    documentationUrl,
    provider,
  } = object.spec;
  return {
    ref,
    description,
    version,
    skills: [],
    ...(iconUrl === undefined ? {} : { iconUrl }),
    ...(documentationUrl === undefined ? {} : { documentationUrl }),
    ...(provider === undefined ? {} : { provider }),
  };
}
