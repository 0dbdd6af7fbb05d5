import type { KagentObjectInput } from "../../../runtime/api/objects.ts";
import type { DeclarativeInput } from "../../../stacks/agents/agent.ts";
import { definitions as standard } from "../../../stacks/agents/index.ts";
import type { DefinitionSettings } from "../../../stacks/agents/settings.ts";

const HANDOFFS: DeclarativeInput["handoffs"] = [
  { when: "output.contains('cpu limit')", agent: { name: "git-agent" }, wait: true },
  { when: "output.contains('pods')", agent: { name: "cluster-agent" } },
  { when: "output.contains('closed door')", agent: { name: "closed-agent" }, wait: true },
];

const REFUSAL: DeclarativeInput["refusal"] = {
  rules: [{ name: "door", match: { word: "door" }, message: "the door stays closed." }],
};

/** The platform's own agents, one that refuses, and one that runs Python and hands over what it prints. */
export function definitions(settings: DefinitionSettings): readonly KagentObjectInput[] {
  const objects = standard(settings);
  const code = objects.find(({ metadata }) => metadata.name === "code-agent");
  if (code?.kind !== "Agent") throw new Error("there is no code-agent");
  const { declarative } = code.spec;
  const named = (name: string) => ({ ...code.metadata, name });
  return [
    ...objects,
    {
      ...code,
      metadata: named("desk-agent"),
      spec: { ...code.spec, declarative: { ...declarative, handoffs: HANDOFFS } },
    },
    {
      ...code,
      metadata: named("closed-agent"),
      spec: { ...code.spec, declarative: { ...declarative, refusal: REFUSAL } },
    },
  ];
}
