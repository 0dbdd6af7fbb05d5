import { createHash } from "node:crypto";
import type { AgentConfig } from "./agent-config.ts";
import { canonical } from "./approval-decision.ts";

/** An AgentConfig that has no hash yet. */
export type UnhashedConfig = Omit<AgentConfig, "hash">;

/** The configuration with its hash: sha256 (hex) over everything in it, secrets included. */
export function hashed(config: UnhashedConfig): AgentConfig {
  return { ...config, hash: createHash("sha256").update(canonical(config)).digest("hex") };
}
