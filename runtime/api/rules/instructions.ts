import { type Agent, objectKey } from "../objects.ts";
import { type Finding, reporter } from "./finding.ts";
import type { ObjectSet } from "./object-set.ts";

/** Declarative agents without a system message: admitted by the schema, never accepted (kagent-api section 1.1). */
export function instructions(agent: Agent, set: ObjectSet): readonly Finding[] {
  const { declarative } = agent.spec;
  if (declarative === undefined || declarative.systemMessageFrom !== undefined) return [];
  if (declarative.systemMessage !== undefined && declarative.systemMessage !== "") return [];
  const { error } = reporter("instructions", objectKey(agent, set.namespace));
  return [error("spec.declarative.systemMessage", "is required, here or by systemMessageFrom")];
}
