import { createHash } from "node:crypto";

/** Which of `count` places a name belongs to: always the same one, and as many names to each. */
export function shardOf(name: string, count: number): number {
  return createHash("sha256").update(name).digest().readUInt32BE() % count;
}
