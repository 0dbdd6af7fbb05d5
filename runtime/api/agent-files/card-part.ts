import * as z from "zod";
import type { UnhashedConfig } from "../config-hash.ts";

const texts = z.array(z.string()).nullish();

/** What is read of `agent-card.json`; a card is for others, so whatever is odd in it counts as not said. */
export const Card = z.looseObject({
  version: z.string().nullish().catch(undefined),
  iconUrl: z.string().nullish().catch(undefined),
  documentationUrl: z.string().nullish().catch(undefined),
  provider: z.object({ organization: z.string(), url: z.string() }).nullish().catch(undefined),
  skills: z
    .array(
      z.object({
        id: z.string(),
        name: z.string(),
        description: z.string().nullish(),
        tags: texts,
        examples: texts,
        inputModes: texts,
        outputModes: texts,
      }),
    )
    .nullish()
    .catch(undefined),
});

/** What a card says of an agent. */
type CardPart = Pick<
  UnhashedConfig,
  "version" | "iconUrl" | "documentationUrl" | "provider" | "skills"
>;

/** What the card says; without one, what a card says that names nothing. */
export function fromCard(card: z.output<typeof Card> | undefined): CardPart {
  const { version, iconUrl, documentationUrl, provider, skills } = card ?? {};
  return {
    version: version ?? "",
    ...(iconUrl ? { iconUrl } : {}),
    ...(documentationUrl ? { documentationUrl } : {}),
    ...(provider ? { provider } : {}),
    skills: (skills ?? []).map((skill) => ({
      id: skill.id,
      name: skill.name,
      description: skill.description ?? "",
      tags: skill.tags ?? [],
      examples: skill.examples ?? [],
      ...(skill.inputModes ? { inputModes: skill.inputModes } : {}),
      ...(skill.outputModes ? { outputModes: skill.outputModes } : {}),
    })),
  };
}
