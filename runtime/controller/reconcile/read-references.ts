import type { Checked } from "../../api/checked.ts";
import { usedId } from "../agent-directory.ts";
import {
  type AgentReferences,
  trackedReferences,
  type UsedReference,
} from "../resolve-references.ts";
import type { HashedSecret } from "../secret-hash.ts";
import type { ReconcileDeps } from "./reconcile-deps.ts";

/** 5 rounds of reading: what one value names may lead to another, but not for ever. */
const READ_ROUNDS = 5;

/**
 * Resolves an object with the values that it refers to, read where they were not at hand, and has it woken when any of
 * them changes or comes.
 *
 * @param user - Key of the object in the index of references.
 * @returns What `resolve` says, and the Secrets that it looked at and that exist.
 * @throws ClusterError when a value cannot be read, the signal's reason after an abort.
 */
export async function withReferences<T>(
  user: string,
  resolve: (references: AgentReferences) => Checked<T>,
  {
    cache,
    directory,
    references: index,
  }: Pick<ReconcileDeps, "cache" | "directory" | "references">,
  signal: AbortSignal,
): Promise<{ readonly result: Checked<T>; readonly secrets: readonly HashedSecret[] }> {
  for (let round = 0; ; round++) {
    const { references, used } = trackedReferences(directory.references);
    const result = resolve(references);
    const ids = used().map(usedId);
    index.set(user, ids);
    const unread = ids.filter((id) => cache.values.isUnread(id));
    if (unread.length === 0 || round === READ_ROUNDS)
      return { result, secrets: secretsOf(used(), cache) };
    await cache.values.read(unread, signal);
  }
}

function secretsOf(
  used: readonly UsedReference[],
  { values }: ReconcileDeps["cache"],
): readonly HashedSecret[] {
  return used.flatMap(({ kind, namespace, name }) => {
    const ref = { namespace, name };
    const data = kind === "Secret" ? values.data("Secret", ref) : undefined;
    return data === undefined ? [] : [{ ref, data }];
  });
}
