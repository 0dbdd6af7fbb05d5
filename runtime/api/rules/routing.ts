import type { RoutingTable } from "../agent-config.ts";
import type { ObjectRef } from "../names.ts";
import { type Agent, objectKey } from "../objects.ts";
import { lintRouting } from "../routing.ts";
import { type Finding, reporter } from "./finding.ts";
import { type ObjectSet, refOf } from "./object-set.ts";

/** What {@link lintRouting} remarks about an agent's routing table, and leaving a route to the model. */
export function routing(agent: Agent, set: ObjectSet): readonly Finding[] {
  const table = routingTable(agent, set.namespace);
  if (table === undefined) return [];
  const path = "spec.declarative.routing";
  const report = reporter("routing", objectKey(agent, set.namespace));
  const remarks = lintRouting(table).map(({ severity, path: at, message }) =>
    report[severity](`${path}.${at}`, message),
  );
  if (table.onNoMatch !== "model") return remarks;
  const message = "the same text may go to different agents: a model chooses when no rule matches";
  return [...remarks, report.warning(`${path}.onNoMatch`, message)];
}

/** The routing table of an agent with every reference's namespace filled in. */
export function routingTable(agent: Agent, defaultNamespace: string): RoutingTable | undefined {
  const spec = agent.spec.declarative?.routing;
  if (spec === undefined) return undefined;
  const { namespace } = refOf(agent, defaultNamespace);
  const { rules, onNoMatch, maxDelegates } = spec;
  const within = (target: Target): ObjectRef => ({
    namespace: target.namespace ?? namespace,
    name: target.name,
  });
  return {
    rules: rules.map(({ agent: target, readFirst, ...rule }) => ({
      ...rule,
      agent: within(target),
      ...(readFirst === undefined ? {} : { readFirst: within(readFirst) }),
    })),
    onNoMatch: typeof onNoMatch === "string" ? onNoMatch : within(onNoMatch.agent),
    maxDelegates,
  };
}

interface Target {
  readonly name: string;
  readonly namespace?: string | undefined;
}
