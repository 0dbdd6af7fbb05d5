import { textAt } from "../json-read.ts";
import { callOf } from "../known-tool.ts";
import { readStates, type StateList } from "../read-objects.ts";
import { type Finding, report } from "../report.ts";
import type { ResourceKind } from "../resource-kinds.ts";
import { answersOf, type Situation, toolNamed } from "../situation.ts";
import type { Skill } from "../skill.ts";
import { mentioned, namespaceIn } from "../subject.ts";
import { counted, hits, named, oneLine } from "../words.ts";

const FLUX =
  /\b(flux|kustomizations?|helm ?releases? (?:are |is )?(?:ready|synced|reconcil\w+)|helmreleases?|gitops|reconcil\w*|sync(?:ed|s|ing)?|in sync|out of sync)\b/iu;

const KINDS: readonly ResourceKind[] = [
  { type: "kustomizations.kustomize.toolkit.fluxcd.io", kind: "Kustomization", namespaced: true },
  { type: "helmreleases.helm.toolkit.fluxcd.io", kind: "HelmRelease", namespaced: true },
];

/** Whether Flux has applied what Git says, by the Ready conditions of its objects. */
export const flux: Skill = {
  name: "Flux",

  score: (situation) =>
    toolNamed(situation, "k8s_get_resources") === undefined
      ? 0
      : 6 * hits(situation.question, FLUX).length,

  plan(situation) {
    const namespace = namespaceIn(situation.question);
    return KINDS.map(({ type }) =>
      callOf(toolNamed(situation, "k8s_get_resources"), {
        resource_type: type,
        ...(namespace === undefined ? { all_namespaces: true } : { namespace }),
        output: "json",
      }),
    );
  },

  report(situation) {
    const lists = KINDS.map((kind) => ({ kind, list: listOf(situation, kind) }));
    const states = lists.flatMap(({ list }) => list?.states ?? []);
    const unread = lists.filter(({ list }) => list === undefined).map(({ kind }) => kind.kind);
    const failing = states.filter(({ trouble, suspended }) => trouble !== "" && !suspended);
    const suspended = states.filter((state) => state.suspended);
    const findings = failing.map(
      ({ kind, name, namespace, trouble }): Finding => ({
        resource_kind: kind,
        resource_name: name,
        namespace,
        severity: "error",
        message: `not Ready: ${oneLine(trouble, 400)}`,
        evidence: oneLine(trouble, 400),
        details: [],
      }),
    );
    const [first] = failing;
    return report({
      operation: "flux",
      cluster: toolNamed(situation, "k8s_get_resources")?.cluster ?? "",
      namespace: namespaceIn(situation.question) ?? "",
      summary: summaryOf(states.length, failing, suspended.length, unread),
      ...(unread.length > 0 && { severity: findings.length > 0 ? "error" : "warning" }),
      findings,
      tables: lists.map(({ kind, list }) => ({
        title: kind.kind,
        columns: ["Namespace", "Name", "Ready", "Message"],
        rows: (list?.states ?? []).map(({ namespace, name, trouble, suspended: held, message }) => [
          namespace,
          name,
          held ? "suspended" : trouble === "" ? "yes" : "no",
          oneLine(message, 200) || "-",
        ]),
      })),
      incomplete: lists.some(({ list }) => list?.incomplete === true),
      next:
        first === undefined
          ? ""
          : `mend ${first.kind} ${first.namespace}/${first.name} at its source in Git; Flux applies it at its next interval.`,
    });
  },
};

function listOf(situation: Situation, kind: ResourceKind): StateList | undefined {
  const answer = answersOf(situation, "k8s_get_resources").find(
    ({ args, failed, text }) =>
      textAt(args, "resource_type") === kind.type && !failed && text !== "",
  );
  const list = answer === undefined ? undefined : readStates(answer, kind);
  return list && { ...list, states: mentioned(situation.question, list.states) };
}

function summaryOf(
  total: number,
  failing: readonly { readonly kind: string; readonly namespace: string; readonly name: string }[],
  suspended: number,
  unread: readonly string[],
): string {
  const held =
    suspended === 0 ? "" : ` ${suspended} of them ${suspended === 1 ? "is" : "are"} suspended.`;
  const gap = unread.length === 0 ? "" : ` ${unread.join(" and ")} objects could not be read.`;
  if (failing.length > 0) {
    const names = failing.map(({ kind, namespace, name }) => `${kind} ${namespace}/${name}`);
    return `Flux is not in sync: ${failing.length} of ${counted(total, "object")} ${failing.length === 1 ? "is" : "are"} not ready: ${named(names, 8)}.${held}${gap}`;
  }
  if (total > 0)
    return `Flux is in sync as far as it was read: all ${counted(total, "object")} that are not suspended are ready.${held}${gap}`;
  return unread.length > 0
    ? `Whether Flux is in sync is unknown.${gap}`
    : "No Flux Kustomization or HelmRelease was found.";
}
