import type { Severity } from "../../../api/envelope.ts";
import {
  type CostRow,
  costRows,
  HEAD_ROOM,
  OVER_BELOW,
  sizing,
  UNDER_ABOVE,
} from "../cost-rows.ts";
import { callOf } from "../known-tool.ts";
import { type RecordTable, readRecords } from "../read-records.ts";
import { type Finding, type Report, type ReportTable, report } from "../report.ts";
import { rightSize } from "../right-size.ts";
import { clusterOf, shown } from "../simple-skill.ts";
import { answersOf, type PastCall, type Situation, toolNamed } from "../situation.ts";
import type { Skill } from "../skill.ts";
import { mentioned, mentions, namespaceIn } from "../subject.ts";
import { counted, hits, named, nameWords } from "../words.ts";
import { sourceCalls, sourceOf } from "../workload-source.ts";

const COSTS =
  /\b(costs?|spend(?:ing)?|expens\w+|cheap\w*|efficien\w+|right-?siz\w+|over-?provision\w*|under-?provision\w*|wast(?:e|ed|ing|eful)|finops|opencost|allocations?|assets?|bills?|billing|budgets?|sav(?:e|ings?)|oversized|idle)\b/iu;
const EFFICIENCY =
  /\b(efficien\w+|right-?siz\w+|over-?provision\w*|under-?provision\w*|wast\w+|oversized|idle|sav(?:e|ings?))\b/iu;
const ASSETS = /\b(assets?|nodes?|disks?|machines?|load ?balancers?)\b/iu;

const TOOLS = ["get_allocation_costs", "get_efficiency", "get_asset_costs"] as const;

/** Costs and efficiency by OpenCost, with what is provisioned too large or too small. */
export const costs: Skill = {
  name: "costs",

  score: (situation) =>
    TOOLS.every((tool) => toolNamed(situation, tool) === undefined)
      ? 0
      : 6 * hits(situation.question, COSTS).length,

  plan(situation) {
    const tool = toolFor(situation);
    const aggregate = aggregateIn(situation.question);
    const window = windowIn(situation.question);
    const first = callOf(toolNamed(situation, tool), { window, aggregate });
    const row = rowToSize(situation);
    if (row !== undefined) return [first, ...sourceCalls(situation, queryOf(row))];
    if (tool === "get_asset_costs" || aggregate === "controller" || !namesUnmet(situation))
      return [first];
    return [first, callOf(toolNamed(situation, tool), { window, aggregate: "controller" })];
  },

  report(situation) {
    const answers = usable(situation);
    // The last grouping is the one that has what the question names.
    const table = answers.flatMap(({ text }) => readRecords(text) ?? []).at(-1);
    if (table === undefined)
      return shown({ name: "costs", noun: "cost record" })(situation, answers);
    const own = costReport(situation, answers, table);
    const row = rowToSize(situation);
    return row === undefined ? own : sizeReport(situation, own, row);
  },
};

const RIGHT_SIZE = /\bright-?siz(?:e|es|ing)\b/iu;

/** The one workload that the question wants sized, once its figures are known and do not fit. */
function rowToSize(situation: Situation): CostRow | undefined {
  if (!RIGHT_SIZE.test(situation.question)) return undefined;
  const words = new Set(nameWords(situation.question));
  const rows = usable(situation)
    .flatMap(({ text }) => readRecords(text) ?? [])
    .flatMap(costRows);
  const exact = rows.filter(({ name }) => words.has(name));
  const named = exact.length > 0 ? exact : rows.filter(({ name }) => mentions(words, name));
  const [row] = named;
  if (row?.efficiency === undefined || named.length > 1) return undefined;
  return sizing(row.efficiency) === "right-sized" ? undefined : row;
}

function queryOf({ name, namespace }: CostRow) {
  return { names: [name], namespace };
}

function sizeReport(situation: Situation, own: Report, row: CostRow): Report {
  const source = sourceOf(situation, queryOf(row));
  const size =
    source === undefined || source.manifest === ""
      ? { why: `the manifest of ${row.name} could not be read` }
      : rightSize(source, row);
  if (size.change === undefined)
    return { ...own, notes: [...own.notes, `No change is proposed: ${size.why}.`], next: "" };
  const summary = `${own.summary} A change of ${size.change.file_path} is proposed.`;
  return { ...own, summary, change: size.change, next: "" };
}

function usable(situation: Situation): readonly PastCall[] {
  return TOOLS.flatMap((tool) => answersOf(situation, tool)).filter(
    ({ failed, text }) => !failed && text !== "",
  );
}

function toolFor(situation: Situation): (typeof TOOLS)[number] {
  const { question } = situation;
  const has = (tool: string) => toolNamed(situation, tool) !== undefined;
  if (EFFICIENCY.test(question) && has("get_efficiency")) return "get_efficiency";
  if (ASSETS.test(question) && has("get_asset_costs")) return "get_asset_costs";
  return has("get_allocation_costs") ? "get_allocation_costs" : "get_efficiency";
}

/** Whether the question names something that no row so far is about. */
function namesUnmet(situation: Situation): boolean {
  const rows = usable(situation)
    .flatMap(({ text }) => readRecords(text) ?? [])
    .flatMap(costRows);
  const words = nameWords(situation.question).filter(
    (word) => !COSTS.test(word) && !OTHER.test(word),
  );
  if (rows.length === 0 || words.length === 0) return false;
  const set = new Set(words);
  return !rows.some(({ name, namespace }) => set.has(namespace) || mentions(set, name));
}

/** Words about costs that name nothing. */
const OTHER = /^(?:team|week|month|day|days|window|today|yesterday|requests?|limits?)$/;

const DAYS: Readonly<Record<string, number>> = { day: 1, week: 7, month: 30 };

/** Windows that a question may name as OpenCost does. */
const WINDOWS = [
  /\bthis (week|month)\b/,
  /\b(today|yesterday|lastweek|lastmonth)\b/,
  /\b(\d{1,3}[hdw])\b/,
];

/** OpenCost's window of a question: `last 3 days` is `3d`; a week unless it says. */
function windowIn(question: string): string {
  const lower = question.toLowerCase();
  const spoken = /\b(?:last|past)\s+(?:(\d{1,3})\s*)?(hour|day|week|month)s?\b/.exec(lower);
  const [, count = "1", unit = ""] = spoken ?? [];
  if (unit === "hour") return `${count}h`;
  if (spoken !== null) return `${Number(count) * (DAYS[unit] ?? 1)}d`;
  return WINDOWS.map((pattern) => pattern.exec(lower)?.[1]).find((each) => each) ?? "7d";
}

const AGGREGATES = [
  "controller",
  "deployment",
  "service",
  "container",
  "pod",
  "node",
  "cluster",
  "label",
  "namespace",
];

function aggregateIn(question: string): string {
  const spoken = /\b(?:by|per|each|every)\s+([a-z]+)/i.exec(question)?.[1]?.toLowerCase() ?? "";
  const named = AGGREGATES.find((each) => spoken === each || spoken === `${each}s`);
  if (named !== undefined) return named;
  return /\b(workloads?|deployments?|right-?siz\w*)\b/i.test(question) ? "controller" : "namespace";
}

function costReport(
  situation: Situation,
  answers: readonly PastCall[],
  table: RecordTable,
): Report {
  const rows = mentioned(
    situation.question,
    costRows(table).filter(({ name }) => name !== ""),
  );
  const over = rows.filter(({ efficiency }) => efficiency !== undefined && efficiency < OVER_BELOW);
  const dearest = [...rows].sort((a, b) => (b.cost ?? 0) - (a.cost ?? 0))[0];
  const total = rows.reduce((sum, { cost }) => sum + (cost ?? 0), 0);
  const parts = [
    counted(rows.length, "cost record"),
    ...(total > 0 ? [`${total.toFixed(2)} in total`] : []),
    ...(dearest?.cost === undefined
      ? []
      : [`most for ${dearest.name} (${dearest.cost.toFixed(2)})`]),
    ...(over.length > 0 ? [`over-provisioned: ${named(over.map(({ name }) => name))}`] : []),
  ];
  const [first] = over;
  const names = new Set(rows.map(({ name }) => name));
  return report({
    operation: "costs",
    cluster: clusterOf(situation, answers),
    namespace: namespaceIn(situation.question) ?? "",
    summary: `${parts.join(", ")}.`,
    findings: rows.flatMap(sizeFinding),
    tables: [asTable(table, names)],
    notes: [
      `Under ${OVER_BELOW} % of use counts as over-provisioned, ${OVER_BELOW} to ${UNDER_ABOVE} % as right-sized, above as under-provisioned.`,
    ],
    next:
      first === undefined
        ? ""
        : `lower the requests of ${first.name} to its use times ${HEAD_ROOM}${targets(first)}.`,
  });
}

function targets({ cpuTarget, memoryTarget }: CostRow): string {
  const figures = [
    ...(cpuTarget === "" ? [] : [`CPU ${cpuTarget}`]),
    ...(memoryTarget === "" ? [] : [`memory ${memoryTarget}`]),
  ];
  return figures.length === 0 ? "" : ` (${figures.join(", ")})`;
}

function sizeFinding({ name, namespace, efficiency }: CostRow): readonly Finding[] {
  if (efficiency === undefined) return [];
  const size = sizing(efficiency);
  if (size === "right-sized") return [];
  const severity: Severity = size === "under-provisioned" ? "warning" : "info";
  return [
    {
      resource_kind: "Allocation",
      resource_name: name,
      namespace,
      severity,
      message: `${size}: ${efficiency.toFixed(0)} % of what it asks for is used`,
      evidence: `efficiency ${efficiency.toFixed(1)} %`,
      details: [],
    },
  ];
}

/** The rows about what the question names, figures rounded. */
function asTable(table: RecordTable, names: ReadonlySet<string>): ReportTable {
  return {
    title: "Cost",
    columns: table.columns,
    rows: table.rows
      .filter((row) => Object.values(row).some((cell) => names.has(String(cell))))
      .map((row) =>
        table.columns.map((column) => {
          const cell = row[column] ?? "-";
          return typeof cell === "number" ? Number(cell.toFixed(4)) : cell;
        }),
      ),
  };
}
