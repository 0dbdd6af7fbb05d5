import { EnvelopeAnswer } from "../../api/envelope.ts";
import { valueAt } from "./json-read.ts";
import { keptPart, type Quote, type Report, type ReportTable } from "./report.ts";
import { oneLine } from "./words.ts";

/** 50 issues and 50 rows per table: an envelope travels through contexts of 8192 tokens. */
const MAX_ENTRIES = 50;
const MAX_TEXT = 600;

/** The agent that makes proposed changes (product.md section 7). */
const WRITER = "git-agent";

/** Whether a JSON Schema asks for the model's part of an envelope. */
export function asksForEnvelope(schema: unknown): boolean {
  const data = valueAt(schema, "properties", "data", "properties");
  return (
    valueAt(schema, "properties", "summary") !== undefined &&
    valueAt(schema, "properties", "severity") !== undefined &&
    valueAt(data, "scope") !== undefined &&
    valueAt(data, "issues") !== undefined
  );
}

/** A report as the model's part of an envelope. */
export function envelopeOf(report: Report, label: string): EnvelopeAnswer {
  const { summary, severity, cluster, namespace, operation, findings, change = null } = report;
  const tables = [...report.tables, ...report.quotes.map(asTable)].filter(
    ({ rows }) => rows.length > 0,
  );
  const resources = Object.fromEntries(
    tables.map(({ title, columns, rows }) => [
      title,
      { columns, items: rows.slice(0, MAX_ENTRIES) },
    ]),
  );
  const issues = findings.slice(0, MAX_ENTRIES).map((finding) => ({
    resource_kind: finding.resource_kind,
    resource_name: finding.resource_name,
    namespace: finding.namespace,
    severity: finding.severity,
    message: oneLine(finding.message, MAX_TEXT),
    evidence: oneLine(finding.evidence, MAX_TEXT),
  }));
  const cut = findings.length > MAX_ENTRIES || tables.some(({ rows }) => rows.length > MAX_ENTRIES);
  return EnvelopeAnswer.parse({
    summary: [`${oneLine(summary, MAX_TEXT)} [${label}]`, ...report.notes.map(plain)].join("\n\n"),
    severity,
    data: {
      scope: { cluster, namespace, operation_class: operation },
      resources,
      issues,
      proposed_change: change,
    },
    recommended_action: report.next,
    raw_data_truncated: report.incomplete || cut,
    follow_up_agent: change === null ? null : WRITER,
  });
}

/** Text of a tool, line by line. */
function asTable({ title, text, keep }: Quote): ReportTable {
  const lines = keptPart(text.split("\n"), MAX_ENTRIES, keep);
  return { title, columns: ["Line"], rows: lines.map((line) => [line]) };
}

/** A remark without its Markdown, in one line: an envelope has no place for it but its summary, which is plain. */
function plain(note: string): string {
  return oneLine(note.replace(/^(?:#+|[-*])\s+|[`*]/gm, ""), MAX_TEXT);
}

/** Envelope inside a text, e.g. the answer of another agent; `undefined` where there is none. */
export function envelopeIn(value: unknown): EnvelopeAnswer | undefined {
  const parsed = EnvelopeAnswer.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}
