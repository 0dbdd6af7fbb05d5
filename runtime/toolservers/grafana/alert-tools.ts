import * as z from "zod";
import type { ToolDefinition } from "../../api/tool.ts";
import { choice, count, optionalText } from "../arguments.ts";
import { boundBytes, trimRows } from "../bounded-text.ts";
import { defineTool } from "../define-tool.ts";
import { ageText } from "../duration-text.ts";
import { firstText } from "../json-value.ts";
import { redactText } from "../redact.ts";
import { textTable } from "../text-table.ts";
import type { GrafanaToolsDeps } from "./grafana-tools-deps.ts";
import type { ActiveAlert, AlertRule, AlertState } from "./observability-source.ts";

const ORDER: readonly AlertState[] = ["firing", "pending", "unknown", "inactive"];
const COLUMNS = [
  ...["NAME", "STATE", "SEVERITY", "CLUSTER", "NAMESPACE", "OBJECT", "SINCE", "SUMMARY"],
];

/** `list_alert_rules`. */
export function listAlertRules({ source, clock }: GrafanaToolsDeps): ToolDefinition {
  return defineTool({
    name: "list_alert_rules",
    description:
      "Alert rules with their state: firing ones first, one row for each thing they fire for, with severity, cluster, namespace and since when. Start here for what is wrong across clusters.",
    inputSchema: z.strictObject({
      state: choice(
        ["all", "firing", "pending", "inactive"],
        "all",
        "Only rules in this state; all (default)",
      ),
      search: optionalText(100, "Only rules whose name, summary or labels contain this text"),
      limit: count(500, 100, "Rules to look at"),
    }),
    run: async ({ state, search, limit }, { signal }) => {
      const rules = await source.alertRules(signal);
      const rows = rules
        .flatMap((rule) => rowsOf(rule, clock.now()))
        .filter((row) => state === "all" || row.state === state)
        .filter(({ cells }) => search === undefined || contains(cells, search))
        .sort((a, b) => ORDER.indexOf(a.state) - ORDER.indexOf(b.state));
      if (rows.length === 0) return `no alert rules${state === "all" ? "" : ` are ${state}`}`;
      const { head, tail, leftOut } = trimRows(rows.slice(0, limit));
      const table = textTable(
        COLUMNS,
        [...head, ...tail].map(({ cells }) => cells),
      );
      const gap = leftOut.length + Math.max(0, rows.length - limit);
      const note = gap === 0 ? [] : [`... ${gap} of ${rows.length} rows left out ...`];
      const firing = rules.filter((rule) => rule.state === "firing").length;
      const title = `${rules.length} alert rules, ${firing} firing`;
      return boundBytes([title, ...table, ...note].join("\n"));
    },
  });
}

interface AlertRow {
  readonly state: AlertState;
  readonly cells: readonly string[];
}

function rowsOf(rule: AlertRule, now: number): readonly AlertRow[] {
  if (rule.alerts.length === 0)
    return [
      { state: rule.state, cells: [rule.name, rule.state, rule.severity, "", "", "", "", ""] },
    ];
  return rule.alerts.map((alert) => ({ state: alert.state, cells: alertCells(rule, alert, now) }));
}

function alertCells(rule: AlertRule, alert: ActiveAlert, now: number): readonly string[] {
  const { labels, state, activeAt, summary } = alert;
  const label = (...names: readonly string[]) =>
    firstText(...names.map((name) => labels[name] ?? ""));
  return [
    rule.name,
    state,
    firstText(rule.severity, label("severity")),
    label("cluster"),
    label("namespace"),
    label("pod", "service", "deployment", "statefulset", "node", "instance", "job"),
    activeAt === "" ? "" : ageText(activeAt, now),
    redactText(summary),
  ];
}

function contains(cells: readonly string[], text: string): boolean {
  const wanted = text.toLowerCase();
  return cells.some((cell) => cell.toLowerCase().includes(wanted));
}
