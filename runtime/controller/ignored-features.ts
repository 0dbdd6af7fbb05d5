import type { Agent } from "../api/objects.ts";

/**
 * What a spec asks for and this version does not do, as paths below `spec`; the rest of it works.
 *
 * Told to people by the HTTP API, so that nobody has to find out by what does not happen.
 */
export function ignoredFeatures({ spec }: Agent): readonly string[] {
  const { declarative, skills, sandbox } = spec;
  const asked: Readonly<Record<string, unknown>> = {
    skills,
    sandbox,
    "declarative.promptTemplate": declarative?.promptTemplate,
    "declarative.memory": declarative?.memory,
    "declarative.context.compaction": declarative?.context?.compaction,
    "declarative.handoffs": declarative?.handoffs,
    "declarative.responseSchema": declarative?.responseSchema,
    "declarative.shareTools": declarative?.shareTools === true ? true : undefined,
    "declarative.executeCodeBlocks": declarative?.executeCodeBlocks === true ? true : undefined,
  };
  return Object.keys(asked).filter((path) => asked[path] !== undefined);
}
