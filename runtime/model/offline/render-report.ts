import type { Finding, ProposedChange, Quote, Report, ReportTable } from "./report.ts";
import { oneLine } from "./words.ts";

/** 25 rows per table and 20 findings are shown in full; the rest is counted. */
const MAX_ROWS = 25;
const MAX_FINDINGS = 20;
/** 4000 characters of a tool's own text. */
const MAX_QUOTE = 4000;
const MAX_CELL = 200;

/** A report as Markdown, without a label. */
export function renderReport(report: Report): string {
  const { summary, findings, tables, quotes, notes, next, change } = report;
  const shown = findings.slice(0, MAX_FINDINGS);
  const more = findings.length - shown.length;
  const blocks = [
    summary,
    ...shown.map(renderFinding),
    ...(more > 0 ? [`... and ${more} more.`] : []),
    ...tables.filter(({ rows }) => rows.length > 0).map(renderTable),
    ...quotes.map(renderQuote),
    ...(change === undefined ? [] : [renderChange(change)]),
    ...notes,
    ...(next === "" ? [] : [`**Next step:** ${next}`]),
  ];
  return blocks.join("\n\n");
}

function renderFinding(finding: Finding): string {
  const { resource_kind: kind, resource_name: name, namespace, severity, message } = finding;
  const place = namespace === "" ? name : `${namespace}/${name}`;
  const head = `- **${kind} \`${code(place)}\`** (${severity}): ${message}`;
  return [head, ...finding.details.map((line) => `  - ${line}`)].join("\n");
}

function renderTable({ title, columns, rows }: ReportTable): string {
  const cell = (value: string | number) => oneLine(String(value), MAX_CELL).replaceAll("|", "\\|");
  const line = (cells: readonly (string | number)[]) => `| ${cells.map(cell).join(" | ")} |`;
  const more = rows.length - MAX_ROWS;
  return [
    `**${title}** (${rows.length})`,
    "",
    line(columns),
    line(columns.map(() => "---")),
    ...rows.slice(0, MAX_ROWS).map(line),
    ...(more > 0 ? ["", `... and ${more} more rows.`] : []),
  ].join("\n");
}

function renderChange({ file_path: path, yaml_diff: diff, rationale }: ProposedChange): string {
  return `${renderQuote({ title: `Proposed change of ${code(path)}`, text: diff })}\n\n${rationale}`;
}

function renderQuote({ title, text, keep }: Quote): string {
  const bounded = boundedText(text, keep);
  // A fence longer than any in the text keeps the text inside.
  const longest = Math.max(2, ...[...bounded.matchAll(/`+/g)].map(([ticks]) => ticks.length));
  const fence = "`".repeat(longest + 1);
  return `${title}:\n\n${fence}\n${bounded}\n${fence}`;
}

/** Whole lines of `text` up to {@link MAX_QUOTE} characters from the end that matters. */
function boundedText(text: string, keep: Quote["keep"]): string {
  if (text.length <= MAX_QUOTE) return text;
  if (keep !== "end") return `${text.slice(0, MAX_QUOTE)}\n... the rest is left out ...`;
  const tail = text.slice(-MAX_QUOTE);
  return `... the beginning is left out ...\n${tail.slice(tail.indexOf("\n") + 1)}`;
}

/** Text for a code span. */
export function code(text: string): string {
  return oneLine(text, 300).replaceAll("`", "'");
}
