import { createHash } from "node:crypto";
import { AGENT_FILES } from "../../api/agent-files/names.ts";

/**
 * kagent's hash of configuration: the first 8 bytes of the sha256 over all texts, as a decimal number.
 *
 * @see kagent-api section 2.2
 */
export function kagentHash(texts: readonly string[]): string {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(text);
  return hash.digest().readBigUInt64BE().toString();
}

/** Files in the order in which kagent hashes them, ours after them. */
const ORDER: readonly string[] = [
  AGENT_FILES.config,
  AGENT_FILES.card,
  AGENT_FILES.sandbox,
  AGENT_FILES.runtime,
  AGENT_FILES.credentials,
  AGENT_FILES.jwks,
];

/** {@link kagentHash} over every file of an Agent. */
export function filesHash(files: Readonly<Record<string, string>>): string {
  return kagentHash(ORDER.map((name) => files[name] ?? ""));
}
