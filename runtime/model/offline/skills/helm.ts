import { textAt } from "../json-read.ts";
import { callOf } from "../known-tool.ts";
import { readRecords } from "../read-records.ts";
import { type Finding, type Report, report } from "../report.ts";
import { clusterOf, shown } from "../simple-skill.ts";
import { answersOf, type PastCall, type Situation, toolNamed } from "../situation.ts";
import type { Skill } from "../skill.ts";
import { mentioned, mentions, namespaceIn } from "../subject.ts";
import { counted, hits, named, nameWords } from "../words.ts";

const HELM = /\b(helm|releases?|charts?)\b/iu;

/** What else is asked of one release, by the words of the question. */
const DETAILS = [
  { tools: ["helm_get_values"], words: /\b(values?|settings?|configured)\b/iu, noun: "value" },
  {
    tools: ["helm_history"],
    words: /\b(history|revisions?|rolled? ?back|upgraded|upgrades)\b/iu,
    noun: "revision",
  },
  { tools: ["helm_status"], words: /\b(status|state|notes)\b/iu, noun: "status" },
  { tools: ["helm_get_release"], words: /\b(manifest|details?|describe)\b/iu, noun: "release" },
] as const;

const LIST = ["helm_list_releases"] as const;
const MAX_RELEASES = 3;

interface Release {
  readonly name: string;
  readonly namespace: string;
  readonly status: string;
  readonly chart: string;
  readonly revision: string;
}

/** Helm releases with their states, and values, history or status of those that are named. */
export const helm: Skill = {
  name: "Helm releases",

  score: (situation) =>
    toolNamed(situation, ...LIST) === undefined ? 0 : 5 * hits(situation.question, HELM).length,

  plan(situation) {
    const namespace = namespaceIn(situation.question);
    const list = callOf(toolNamed(situation, ...LIST), {
      ...(namespace === undefined ? { all_namespaces: true } : { namespace }),
    });
    const detail = detailOf(situation);
    if (detail === undefined) return [list];
    const tool = toolNamed(situation, ...detail.tools);
    return [
      list,
      ...askedFor(situation).map(({ name, namespace: place }) =>
        callOf(tool, { name, namespace: place }),
      ),
    ];
  },

  report(situation) {
    const detail = detailOf(situation);
    const details =
      detail?.tools.flatMap((tool) => answersOf(situation, tool)).filter(usable) ?? [];
    if (detail !== undefined && details.length > 0)
      return {
        ...shown({ name: "helm", noun: detail.noun })(situation, []),
        cluster: clusterOf(situation, details),
        summary: `What Helm says about ${named(details.map(({ args }) => textAt(args, "name")))}.`,
        quotes: details.map(({ args, text }) => ({ title: textAt(args, "name"), text })),
      };
    return listReport(situation);
  },
};

function usable({ failed, text }: PastCall): boolean {
  return !failed && text !== "";
}

function detailOf(situation: Situation) {
  return DETAILS.find(
    ({ words, tools }) =>
      words.test(situation.question) && toolNamed(situation, ...tools) !== undefined,
  );
}

function releases(situation: Situation): readonly Release[] {
  return LIST.flatMap((tool) => answersOf(situation, tool))
    .filter(usable)
    .filter((call, index, all) => all.indexOf(call) === index)
    .flatMap(({ text }) => readRecords(text)?.rows ?? [])
    .map((row) => {
      const cell = (name: string) =>
        String(Object.entries(row).find(([column]) => column.toLowerCase() === name)?.[1] ?? "");
      return {
        name: cell("name"),
        namespace: cell("namespace"),
        status: cell("status"),
        chart: cell("chart"),
        revision: cell("revision"),
      };
    })
    .filter(({ name }) => name !== "");
}

function askedFor(situation: Situation): readonly Release[] {
  const words = new Set(nameWords(situation.question));
  return releases(situation)
    .filter(({ name }) => mentions(words, name))
    .slice(0, MAX_RELEASES);
}

function listReport(situation: Situation): Report {
  const answers = LIST.flatMap((tool) => answersOf(situation, tool)).filter(usable);
  const all = releases(situation);
  if (all.length === 0) return shown({ name: "helm", noun: "Helm release" })(situation, answers);
  const own = mentioned(situation.question, all);
  const unwell = own.filter(({ status }) => !/^(deployed|superseded)?$/i.test(status));
  const findings = unwell.map(
    ({ name, namespace, status, chart, revision }): Finding => ({
      resource_kind: "HelmRelease",
      resource_name: name,
      namespace,
      severity: /^pending/i.test(status) ? "warning" : "error",
      message: `the release of ${chart || "its chart"} is ${status}${revision === "" ? "" : ` at revision ${revision}`}`,
      evidence: `status ${status}`,
      details: [],
    }),
  );
  const [first] = unwell;
  return report({
    operation: "helm",
    cluster: clusterOf(situation, answers),
    namespace: namespaceIn(situation.question) ?? "",
    summary: `${unknownRelease(situation.question, all)}${counted(own.length, "Helm release")}, ${unwell.length === 0 ? "all deployed" : `${unwell.length} not deployed: ${named(unwell.map(({ name }) => name))}`}.`,
    findings,
    tables: [
      {
        title: "Helm release",
        columns: ["Namespace", "Name", "Revision", "Status", "Chart"],
        rows: own.map((each) => [
          each.namespace,
          each.name,
          each.revision,
          each.status,
          each.chart,
        ]),
      },
    ],
    next:
      first === undefined ? "" : `read the history of release ${first.namespace}/${first.name}.`,
  });
}

/** A sentence about a release that the question names and that is not there; empty without one. */
function unknownRelease(question: string, all: readonly Release[]): string {
  const name = /\breleases?\s+[`"']?([a-z0-9][a-z0-9-]{1,62})/i.exec(question)?.[1]?.toLowerCase();
  if (name === undefined || !nameWords(name).includes(name)) return "";
  return all.some((each) => each.name === name) ? "" : `There is no Helm release called ${name}. `;
}
