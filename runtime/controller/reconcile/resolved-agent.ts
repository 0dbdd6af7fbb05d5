import type { ObjectRef } from "../../api/names.ts";
import type { AgentDirectory, AgentEntry } from "../agent-directory.ts";
import type { ObjectCache } from "../object-cache.ts";

/** 5 rounds of reading: what one value names may lead to another, but not for ever. */
const READ_ROUNDS = 5;

/**
 * An Agent with everything it refers to, after reading the values that were not at hand.
 *
 * @returns `undefined` when there is no such Agent, or none that its schema admits.
 * @throws ClusterError when a value cannot be read, the signal's reason after an abort.
 */
export async function resolvedAgent(
  directory: AgentDirectory,
  { values }: Pick<ObjectCache, "values">,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<AgentEntry | undefined> {
  let entry = directory.agent(ref);
  for (let round = 0; round < READ_ROUNDS && entry !== undefined; round++) {
    const { unread } = entry;
    if (unread.length === 0) break;
    await values.read(unread, signal);
    for (const id of unread) directory.touch(id);
    entry = directory.agent(ref);
  }
  return entry;
}
