import { callOf } from "../known-tool.ts";
import { tellingLines } from "../pod-finding.ts";
import { columnLike, readRecords } from "../read-records.ts";
import { code } from "../render-report.ts";
import { type Finding, type Report, report } from "../report.ts";
import { shown, simpleSkill } from "../simple-skill.ts";
import { answersOf, type PastCall, type Situation, toolNamed } from "../situation.ts";
import type { Skill } from "../skill.ts";
import { namespaceIn } from "../subject.ts";
import { counted, hits, named, nameWords, oneLine, wordsOf } from "../words.ts";

const RANGE = { start: "now-1h", end: "now", startRfc3339: undefined, limit: 50 };

/** Log lines by a LogQL query: one in backticks, else errors of the namespace or of everything. */
export const lokiLogs = simpleSkill({
  name: "logs in Loki",
  tools: ["query_loki_logs"],
  words: /\b(loki|logql|logs?|log lines|logged)\b/iu,
  weight: 5,
  noun: "log line",
  arguments: ({ question }) => ({
    ...RANGE,
    query: /`([^`]{2,500})`/.exec(question)?.[1] ?? logQuery(question),
    direction: "backward",
  }),
  report: logReport,
});

/** Patterns of errors in logs. */
export const errorPatterns = simpleSkill({
  name: "error patterns",
  tools: ["find_error_pattern_logs"],
  words:
    /\b(error patterns?|patterns?|error logs?|errors in (?:the )?logs?|exceptions?|recurring|anomal\w+)\b/iu,
  weight: 6,
  noun: "error pattern",
  arguments: ({ question }) => ({ ...RANGE, ...labelArguments(question), name: "error patterns" }),
});

/** Requests that took long. */
export const slowRequests = simpleSkill({
  name: "slow requests",
  tools: ["find_slow_requests"],
  words: /\b(slow(?:est)?|slow requests?|latenc(?:y|ies)|takes? (?:too )?long|response times?)\b/iu,
  weight: 6,
  noun: "slow request",
  arguments: ({ question }) => ({ ...RANGE, ...labelArguments(question), name: "slow requests" }),
});

/** Dashboards by words of the question: all of them, then one after the other until some are found. */
export const dashboards: Skill = {
  name: "dashboards",

  score: (situation) =>
    toolNamed(situation, "search_dashboards") === undefined
      ? 0
      : 6 * hits(situation.question, /\b(dashboards?|grafana|panels?)\b/iu).length,

  plan(situation) {
    const answers = answersOf(situation, "search_dashboards");
    const found = answers.some(({ text }) => (readRecords(text)?.rows.length ?? 0) > 0);
    const queries = dashboardQueries(situation.question);
    return queries
      .slice(0, found ? answers.length : answers.length + 1)
      .map((query) => callOf(toolNamed(situation, "search_dashboards"), { query }));
  },

  report(situation) {
    const answers = answersOf(situation, "search_dashboards").filter(({ failed }) => !failed);
    const found = answers.filter(({ text }) => (readRecords(text)?.rows.length ?? 0) > 0);
    const plain = shown({ name: "dashboards", noun: "dashboard" });
    if (found.length > 0 || answers.length === 0) return plain(situation, found);
    return report({
      operation: "dashboards",
      summary: "No dashboard fits the words of the question.",
    });
  },
};

/** Alert rules, firing ones as findings. */
export const alertRules = simpleSkill({
  name: "alert rules",
  tools: ["list_alert_rules"],
  words: /\b(alerts?|alerting|alert rules?|rules?|firing|fires)\b/iu,
  weight: 5,
  noun: "alert rule",
  arguments: () => ({ limit: 100 }),
  report: alertReport,
});

function logQuery(question: string): string {
  const namespace = namespaceIn(question);
  const selector = namespace === undefined ? '{namespace=~".+"}' : `{namespace="${namespace}"}`;
  const wanted = /\b(?:for|with|containing|mentioning)\s+["']?([a-z][\w-]{2,40})/i.exec(
    question,
  )?.[1];
  if (wanted !== undefined && nameWords(wanted).length > 0)
    return `${selector} |~ "(?i)${wanted.toLowerCase().replace(/s$/, "")}"`;
  return /\b(error|errors|exception|fail\w*|fatal|panic)\b/i.test(question)
    ? `${selector} |~ "(?i)(error|exception|fatal|panic)"`
    : selector;
}

function labelArguments(question: string) {
  const namespace = namespaceIn(question);
  return {
    labels: namespace === undefined ? {} : { namespace },
    namespace,
  };
}

const DASHBOARD_WORDS = /^(?:dashboards?|grafana|panels?|about|search|open)$/;
/** 4 searches at most. */
const MAX_SEARCHES = 4;

function dashboardQueries(question: string): readonly string[] {
  const subject = nameWords(question).filter((word) => !DASHBOARD_WORDS.test(word));
  const topic = wordsOf(question).filter((word) => TOPICS.test(word));
  const words = [...new Set([...subject, ...topic])];
  return [...new Set([words.slice(0, 3).join(" "), ...words])].slice(0, MAX_SEARCHES);
}

/** Common words that dashboards are named after. */
const TOPICS = /^(?:kubernetes|nodes?|pods?|flux|clusters?|costs?|memory|cpu|logs?)$/;

function logReport(situation: Situation, answers: readonly PastCall[]): Report {
  const none = answers.find(({ text }) => /^no [^\n]*$/i.test(text));
  if (none !== undefined) return report({ operation: "logs", summary: `${none.text}.` });
  const lines = answers.flatMap(({ text }) => logLines(text));
  const telling = tellingLines(lines.join("\n"), 5);
  return report({
    operation: "logs",
    namespace: namespaceIn(situation.question) ?? "",
    summary:
      answers.length === 0
        ? "The logs could not be read."
        : `${counted(lines.length, "log line")} found${lines.length === 0 ? "." : ", the telling ones below."}`,
    notes: telling.map((line) => `\`${code(line)}\``),
    quotes: lines.length === 0 ? [] : [{ title: "Lines", text: lines.join("\n"), keep: "end" }],
  });
}

/** Lines of a Loki answer: of its JSON, else of its text. */
function logLines(text: string): readonly string[] {
  const table = readRecords(text);
  const column = table && columnLike(table, /^(?:line|message|log|msg)$/i, /line|message/i);
  if (table === undefined || column === undefined)
    return text.split("\n").filter((line) => line.trim() !== "");
  return table.rows.map((row) => {
    const labels = Object.entries(row)
      .filter(([key]) => /(?:namespace|pod|app|container)$/.test(key))
      .map(([, value]) => String(value));
    return `${labels.length === 0 ? "" : `[${labels.join(" ")}] `}${row[column] ?? ""}`;
  });
}

function alertReport(situation: Situation, answers: readonly PastCall[]): Report {
  const tables = answers.flatMap(({ text }) => readRecords(text) ?? []);
  const [table] = tables;
  if (table === undefined) return shown({ name: "alerts", noun: "alert rule" })(situation, answers);
  const name = columnLike(table, /^(?:title|name|alert|alertname)$/i, /title|name/i);
  const state = columnLike(table, /^state$/i, /state|status|health/i);
  const severity = columnLike(table, /severity/i);
  const cell = (row: Readonly<Record<string, string | number>>, column: string | undefined) =>
    column === undefined ? "" : String(row[column] ?? "");
  const firing = table.rows.filter((row) => /^(?:firing|alerting|active)/i.test(cell(row, state)));
  const namesOf = (rows: readonly (typeof firing)[number][]) => [
    ...new Set(rows.map((row) => cell(row, name))),
  ];
  const names = namesOf(firing);
  return report({
    operation: "alerts",
    summary: `${counted(namesOf(table.rows).length, "alert rule")}, ${names.length === 0 ? "none firing" : `${names.length} firing: ${named(names, 8)}`}.`,
    findings: firing.map(
      (row): Finding => ({
        resource_kind: "AlertRule",
        resource_name: cell(row, name),
        namespace: cell(row, columnLike(table, /namespace/i)),
        severity: /critical/i.test(cell(row, severity)) ? "critical" : "warning",
        message: `firing${oneLine(` ${cell(row, columnLike(table, /summary|description|message/i))}`, 300).replace(/^(?=.)/, ": ")}`,
        evidence: `state ${cell(row, state)}`,
        details: [],
      }),
    ),
    tables: tables.map(({ columns, rows }) => ({
      title: "Alert rule",
      columns,
      rows: rows.map((row) => columns.map((column) => row[column] ?? "-")),
    })),
    next: names[0] === undefined ? "" : `look into ${names[0]}.`,
  });
}
