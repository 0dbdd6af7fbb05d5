import type { AgentConfig } from "../api/agent-config.ts";
import { withSecrets } from "../api/agent-files/credentials.ts";
import { looksRandom } from "../guardrail/scan.ts";

/** What stands in the place of a secret that this process knows itself. */
const MASK = "[masked secret]";
/** 8 characters: shorter values are words of every text, and no secrets that keep anybody out. */
const MIN_LENGTH = 8;
/** Names of headers whose values are secrets, whatever they look like. */
const SECRET_NAME = /authorization|api-?key|token|secret|passw|cookie|credential|(^|-)auth(-|$)/i;

/**
 * Secrets that a turn works with, longest first: keys and headers of its configuration, credentials of its caller.
 *
 * Whoever gets one may repeat it, in an answer or in a complaint. Certificates of authorities are public, and headers such
 * as a version or a media type are no secrets: of headers without a telling name only what looks made by chance counts.
 */
export function knownSecrets(
  config: AgentConfig,
  headers: Readonly<Record<string, string>>,
): readonly string[] {
  const found = new Set<string>();
  const add = (value: string, isSecret: boolean): void => {
    // Schemes such as `Bearer` stand before a value, and are often repeated without it.
    for (const word of [value, ...value.split(/\s+/)])
      if (word.length >= MIN_LENGTH && (isSecret || looksRandom(word.toLowerCase())))
        found.add(word);
  };
  withSecrets(config, (id, value) => {
    if (!id.endsWith(".caPem")) add(value, id.endsWith(".apiKey") || SECRET_NAME.test(nameIn(id)));
    return value;
  });
  for (const [name, value] of Object.entries(headers)) if (SECRET_NAME.test(name)) add(value, true);
  return [...found].sort((a, b) => b.length - a.length);
}

/** A text with each of `secrets` masked; longer ones come first. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((rest, secret) => rest.replaceAll(secret, MASK), text);
}

/** `x-key` of `toolServers[0].headers.x-key`. */
function nameIn(id: string): string {
  return id.split(".headers.", 2)[1] ?? "";
}
