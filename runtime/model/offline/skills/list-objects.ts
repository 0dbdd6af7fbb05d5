import type { Severity } from "../../../api/envelope.ts";
import { textAt } from "../json-read.ts";
import { callOf } from "../known-tool.ts";
import { readStates, type StateList } from "../read-objects.ts";
import { type Finding, type Quote, type ReportTable, report } from "../report.ts";
import { kindsIn, type ResourceKind } from "../resource-kinds.ts";
import { answersOf, type PastCall, type Situation, toolNamed } from "../situation.ts";
import type { Skill } from "../skill.ts";
import { mentioned, namespaceIn } from "../subject.ts";
import { counted, hits, named, oneLine } from "../words.ts";

const TROUBLE =
  /\b(fail\w*|unhealthy|healthy|health|ready|unready|unavailable|pending|problems?|issues?|wrong|down|unbound|pressure|ok(?:ay)?|capacity|schedul\w*)\b/iu;
const LISTING = /\b(list|show|get|which|what|how many|count|all|are there)\b/iu;

/** Kinds in one answer; more make it unreadable. */
const MAX_KINDS = 4;

/** Objects of the kinds that the question names, with those that need attention. */
export const listObjects: Skill = {
  name: "list objects",

  score(situation) {
    if (toolNamed(situation, "k8s_get_resources") === undefined) return 0;
    const kinds = kindsIn(situation.question).length;
    if (kinds === 0) return 0;
    const { question } = situation;
    return 3 * kinds + Math.min(1, hits(question, LISTING).length) + hits(question, TROUBLE).length;
  },

  plan: (situation) =>
    kindsOf(situation).flatMap((kind) => {
      const answer = answerFor(situation, kind);
      const unreadable = answer !== undefined && readStates(answer, kind) === undefined;
      return [
        listCall(situation, kind, "json"),
        ...(unreadable ? [listCall(situation, kind, "wide")] : []),
      ];
    }),

  report(situation) {
    const lists = kindsOf(situation).map((kind) => ({ kind, ...shown(situation, kind) }));
    const findings = lists.flatMap(({ kind, list }) =>
      list === undefined ? [] : findingsIn(kind, list),
    );
    const cluster = toolNamed(situation, "k8s_get_resources")?.cluster ?? "";
    const [worst] = findings;
    return report({
      operation: "list",
      cluster,
      namespace: namespaceIn(situation.question) ?? "",
      summary: lists.map(({ kind, list }) => sentence(kind, list)).join(" "),
      findings,
      tables: lists.flatMap(({ kind, list }) => (list === undefined ? [] : [tableOf(kind, list)])),
      quotes: lists.flatMap(({ quote }) => (quote === undefined ? [] : [quote])),
      incomplete: lists.some(({ list }) => list?.incomplete === true),
      next:
        worst === undefined
          ? ""
          : `look at ${worst.resource_kind} ${worst.resource_name}: describe it and read its events.`,
    });
  },
};

function kindsOf(situation: Situation): readonly ResourceKind[] {
  return kindsIn(situation.question).slice(0, MAX_KINDS);
}

function listCall(situation: Situation, kind: ResourceKind, output: "json" | "wide") {
  const namespace = kind.namespaced ? namespaceIn(situation.question) : undefined;
  const everywhere = kind.namespaced && namespace === undefined ? true : undefined;
  return callOf(toolNamed(situation, "k8s_get_resources"), {
    resource_type: kind.type,
    namespace,
    all_namespaces: everywhere,
    output,
  });
}

/** The last answer about `kind` that is no error. */
function answerFor(situation: Situation, { type }: ResourceKind): PastCall | undefined {
  return answersOf(situation, "k8s_get_resources").findLast(
    ({ args, failed, text }) => textAt(args, "resource_type") === type && !failed && text !== "",
  );
}

function shown(situation: Situation, kind: ResourceKind): { list?: StateList; quote?: Quote } {
  const answer = answerFor(situation, kind);
  if (answer === undefined) return {};
  const list = readStates(answer, kind);
  if (list === undefined) return { quote: { title: kind.kind, text: answer.text } };
  const states = mentioned(situation.question, list.states);
  const total = states.length === list.states.length ? list.total : states.length;
  return { list: { ...list, states, total } };
}

function sentence(kind: ResourceKind, list: StateList | undefined): string {
  if (list === undefined) return `${kind.kind} objects could not be read as a list.`;
  const { states } = list;
  const total = counted(Math.max(list.total, states.length), `${kind.kind} object`);
  const unwell = states.filter(({ trouble }) => trouble !== "");
  if (states.length === 0) return `No ${kind.kind} objects were found.`;
  if (unwell.length === 0) return `${total}, none of which reports a problem.`;
  return `${total}, of which ${unwell.length} ${unwell.length === 1 ? "needs" : "need"} attention: ${named(unwell.map(({ name }) => name))}.`;
}

function findingsIn({ kind }: ResourceKind, { states }: StateList): readonly Finding[] {
  return states
    .filter(({ trouble }) => trouble !== "")
    .map(({ name, namespace, state, trouble }) => ({
      resource_kind: kind,
      resource_name: name,
      namespace,
      severity: severityOf(kind),
      message: oneLine(
        state === "" || trouble.startsWith(state) ? trouble : `${state}: ${trouble}`,
        400,
      ),
      evidence: oneLine(trouble, 400),
      details: [],
    }));
}

function severityOf(kind: string): Severity {
  if (kind === "Node" || kind === "PersistentVolume") return "critical";
  return kind === "PersistentVolumeClaim" ? "error" : "warning";
}

function tableOf({ kind, namespaced }: ResourceKind, { states }: StateList): ReportTable {
  const ordered = [...states].sort((a, b) => Number(a.trouble === "") - Number(b.trouble === ""));
  return {
    title: kind,
    columns: namespaced ? ["Namespace", "Name", "State"] : ["Name", "State"],
    rows: ordered.map(({ namespace, name, state }) =>
      namespaced ? [namespace, name, state || "-"] : [name, state || "-"],
    ),
  };
}
