import type { Agent } from "../api/objects.ts";

/**
 * What a spec asks for and this version does not do, as paths below `spec`; the rest of it works.
 *
 * Told to people by the HTTP API and by the condition UnsupportedFeatures, so that nobody has to find out by what does
 * not happen.
 *
 * @param workers - Where the Agent runs when its spec does not say.
 */
export function ignoredFeatures(
  { spec }: Agent,
  workers: "dedicated" | "pooled" = "dedicated",
): readonly string[] {
  const { declarative, skills } = spec;
  const isPooled = (spec.workers ?? workers) === "pooled";
  const asked: Readonly<Record<string, unknown>> = {
    skills,
    // An image of the user's own is in nobody's pool.
    workers: spec.type === "BYO" && spec.workers === "pooled" ? true : undefined,
    // The pods of a pool are no Agent's own.
    "declarative.deployment": isPooled ? declarative?.deployment : undefined,
    "declarative.shareTools": declarative?.shareTools === true ? true : undefined,
    "declarative.executeCodeBlocks": declarative?.executeCodeBlocks === true ? true : undefined,
  };
  return Object.keys(asked).filter((path) => asked[path] !== undefined);
}
