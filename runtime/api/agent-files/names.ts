import type { ObjectRef } from "../names.ts";

/**
 * Files of an Agent as the controller writes them into a Secret and a worker finds them in its folder
 * (kagent-api section 2.3, decisions 4, 5 and 15).
 */
export const AGENT_FILES = {
  /** kagent's keys and nothing else. */
  config: "config.json",
  /** What kagent has no key for; absent when there is nothing of the kind. */
  runtime: "runtime.json",
  /** Secret values by id; the other files say `credential:<id>`. Absent when there are none. */
  credentials: "credentials.json",
  /** The A2A card. */
  card: "agent-card.json",
  /** Settings of the sandbox of BYO Agents. */
  sandbox: "srt-settings.json",
  /** Public keys that prove callers; shared by the Agents of a pool. */
  jwks: "jwks.json",
} as const;

/** Names of the files that each Agent has for itself, where many share a folder. */
const OWN_FILES: readonly string[] = Object.values(AGENT_FILES).filter(
  (file) => file !== AGENT_FILES.jwks,
);

/** Key of an Agent's file in a folder that many Agents share: `<agent>.<file>`. */
export function pooledKey(agent: string, file: string): string {
  return `${agent}.${file}`;
}

/**
 * Sorts the files of a shared folder by Agent; the inverse of {@link pooledKey}.
 *
 * No file's name ends in a dot and another's, so every key is read in one way, dots in the Agent's name included.
 *
 * @param namespace - Of all of them.
 * @returns By name of the Agent, in order; files that belong to nobody are left out.
 */
export function pooledFiles(
  files: Readonly<Record<string, string>>,
  namespace: string,
): readonly { readonly ref: ObjectRef; readonly files: Readonly<Record<string, string>> }[] {
  const byAgent = new Map<string, Record<string, string>>();
  for (const [key, text] of Object.entries(files)) {
    const file = OWN_FILES.find((name) => key.length > name.length + 1 && key.endsWith(`.${name}`));
    if (file === undefined) continue;
    const agent = key.slice(0, -file.length - 1);
    byAgent.set(agent, { ...byAgent.get(agent), [file]: text });
  }
  return [...byAgent]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, own]) => ({ ref: { namespace, name }, files: own }));
}
