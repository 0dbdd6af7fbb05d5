import { canonical } from "../api/approval-decision.ts";
import type { KagentObject } from "../api/objects.ts";

/** Whether two versions of an object mean the same to those who refer to it: only their conditions may differ. */
export function meansTheSame(some: KagentObject, other: KagentObject): boolean {
  const { generation } = some.metadata;
  return (
    // Objects of a file have no generation, and may differ anywhere.
    generation !== undefined &&
    generation === other.metadata.generation &&
    canonical(meaning(some)) === canonical(meaning(other))
  );
}

function meaning({ metadata, status }: KagentObject): unknown {
  const { uid, labels, annotations, deletionTimestamp } = metadata;
  const { conditions: _, observedGeneration: _seen, ...found } = status ?? {};
  return [uid, labels, annotations, deletionTimestamp, found];
}
