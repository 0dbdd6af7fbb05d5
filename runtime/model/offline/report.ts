import { type EnvelopeAnswer, type Issue, SEVERITIES, type Severity } from "../../api/envelope.ts";

/** A change of a file that whoever may write could make. */
export type ProposedChange = NonNullable<EnvelopeAnswer["data"]["proposed_change"]>;

/** Objects of one kind as a table. */
export interface ReportTable {
  /** Kind of the rows, e.g. `Pod`. */
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number)[])[];
}

/** A problem with everything that is known about it. */
export interface Finding extends Issue {
  /** Lines for people: cause, evidence. Markdown. */
  readonly details: readonly string[];
}

/** Text of a tool that is shown as it came. */
export interface Quote {
  /** What it is. */
  readonly title: string;
  readonly text: string;
  /** Which part is kept of a long text; the start unless set. */
  readonly keep?: "start" | "end";
}

/** A text within `max` entries of `list`, cut at the end that matters less. */
export function keptPart<T>(list: readonly T[], max: number, keep: Quote["keep"]): readonly T[] {
  return keep === "end" ? list.slice(-max) : list.slice(0, max);
}

/** An answer before it becomes Markdown or an envelope. */
export interface Report {
  /** One or two sentences, plain text. */
  readonly summary: string;
  readonly severity: Severity;
  /** Empty where none is known. */
  readonly cluster: string;
  /** Empty for several or none. */
  readonly namespace: string;
  /** What was done, e.g. `triage`. */
  readonly operation: string;
  readonly findings: readonly Finding[];
  readonly tables: readonly ReportTable[];
  readonly quotes: readonly Quote[];
  /** Further remarks, Markdown, one paragraph each. */
  readonly notes: readonly string[];
  /** What should be changed, if anything. */
  readonly change?: ProposedChange;
  /** What to do next; empty when there is nothing to do. */
  readonly next: string;
  /** Whether the tools left something out. */
  readonly incomplete: boolean;
}

/** A report with only what `parts` say. */
export function report(parts: Partial<Report> & Pick<Report, "summary" | "operation">): Report {
  const findings = parts.findings ?? [];
  return {
    severity: worst(findings.map(({ severity }) => severity)),
    cluster: "",
    namespace: "",
    findings,
    tables: [],
    quotes: [],
    notes: [],
    next: "",
    incomplete: false,
    ...parts,
  };
}

/** The most severe; `info` of none. */
export function worst(severities: readonly Severity[]): Severity {
  return severities.reduce<Severity>(
    (a, b) => (SEVERITIES.indexOf(b) > SEVERITIES.indexOf(a) ? b : a),
    "info",
  );
}
