import type { Finding } from "./finding.ts";

/** Findings about the objects of one place. */
export interface LintedSource {
  /** File or stack, for people. */
  readonly source: string;
  /** How many objects were looked at. */
  readonly objects: number;
  /** How many objects of other APIs were not; none when absent. */
  readonly skipped?: number;
  readonly findings: readonly Finding[];
}

/** `source: Kind namespace/name: path: message`, a warning marked as one. */
export function findingLine(source: string, finding: Finding): string {
  const { object, path, severity, message } = finding;
  const parts = [source, object.replace("/", " "), path, severity === "warning" ? "warning" : ""];
  return [...parts.filter((part) => part !== ""), message].join(": ").replace(/\s+/g, " ");
}

/** One line for each finding and a summary at the end, each with a line end. */
export function textReport(sources: readonly LintedSource[]): string {
  const lines = sources.flatMap(({ source, findings }) =>
    findings.map((finding) => findingLine(source, finding)),
  );
  return [...lines, summaryLine(sources), ""].join("\n");
}

/** The same for programs: one JSON document with every finding and the counts. */
export function jsonReport(sources: readonly LintedSource[]): string {
  const findings = sources.flatMap(({ source, findings: found }) =>
    found.map((finding) => ({ source, ...finding })),
  );
  const objects = sources.reduce((sum, source) => sum + source.objects, 0);
  const document = { findings, ...counts(sources), objects };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** Whether any finding is an error: what decides the exit code. */
export function hasErrors(sources: readonly LintedSource[]): boolean {
  return counts(sources).errors > 0;
}

function counts(sources: readonly LintedSource[]) {
  const all = sources.flatMap(({ findings }) => findings);
  const errors = all.filter(({ severity }) => severity === "error").length;
  return { errors, warnings: all.length - errors };
}

function summaryLine(sources: readonly LintedSource[]): string {
  const { errors, warnings } = counts(sources);
  const objects = sources.reduce((sum, source) => sum + source.objects, 0);
  const skipped = sources.reduce((sum, source) => sum + (source.skipped ?? 0), 0);
  const found = `${plural(errors, "error")}, ${plural(warnings, "warning")}`;
  const where = `${plural(objects, "object")} of ${sources.map(({ source }) => source).join(", ")}`;
  const rest = skipped === 0 ? "" : ` (${plural(skipped, "object")} of other APIs not checked)`;
  return `${found} in ${where}${rest}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
