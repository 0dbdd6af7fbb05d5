import * as z from "zod";
import { Envelope, EnvelopeAnswer, SEVERITIES, type Severity } from "./envelope.ts";
import { code, inline, plain, table } from "./markdown.ts";

/** 1 MiB of JSON: more is no answer but an attack on whoever parses it. */
const MAX_ENVELOPE_CHARACTERS = 1_048_576;
/** 200 characters: a shorter answer outside the schema is shown as it is (reference-platform.md section 3). */
const SHORT_CHARACTERS = 200;
/** What marks a longer answer outside the schema. */
const SCHEMA_INVALID = "SCHEMA_INVALID";
/** 300 characters of each piece of evidence are shown; all of it stays in the envelope. */
const EXCERPT_CHARACTERS = 300;

const SEVERITY_TITLES: Readonly<Record<Severity, string>> = {
  info: "Info",
  warning: "Warning",
  error: "Error",
  critical: "Critical",
};

/**
 * Answers of agents as Markdown for people, without a model call (reference-platform.md section 3).
 *
 * One answer stands alone; several get the highest severity on top and a section each, in the order
 * given. Text that agents wrote cannot break tables or add markup, except free text, which is passed on
 * as it is.
 */
export function renderEnvelopes(envelopes: readonly Envelope[]): string {
  const [first, ...others] = envelopes;
  if (first === undefined) return "";
  if (others.length === 0) return renderEnvelope(first);
  const title = `**${SEVERITY_TITLES[highest(envelopes)]}: ${envelopes.length} agents answered**`;
  const sections = envelopes.map(
    (envelope) => `## ${inline(envelope.agent)}\n\n${renderEnvelope(envelope)}`,
  );
  return [title, ...sections].join("\n\n");
}

/**
 * The envelope that an agent sent, as data or as JSON text, alone or in a code fence.
 *
 * @returns `undefined` for anything else; never throws.
 */
export function parseEnvelope(input: unknown): Envelope | undefined {
  const parsed = Envelope.safeParse(typeof input === "string" ? fromJson(input) : input);
  return parsed.success ? parsed.data : undefined;
}

/**
 * An envelope around an answer that is none, so that it is never lost.
 *
 * It renders as the text itself when that is shorter than 200 characters, else under a line that says
 * `SCHEMA_INVALID` and names the agent.
 */
export function wrapFreeText(agent: string, text: string): Envelope {
  const body = text.trim() === "" ? `${agent} gave an empty answer` : text;
  return {
    schema_version: "2",
    agent,
    status: "ok",
    summary:
      body.length < SHORT_CHARACTERS ? body : `${SCHEMA_INVALID}: ${agent} answered in free text`,
    severity: "info",
    data: {
      scope: { cluster: "", namespace: "", operation_class: "" },
      resources: {},
      issues: [],
      proposed_change: null,
      tool_calls_made: 0,
    },
    recommended_action: "",
    raw_data_truncated: false,
    follow_up_agent: null,
    evidence: [],
    free_text: body,
  };
}

/** JSON Schema of what a model is asked for: every field required, no keyword that Ollama's grammar lacks. */
export function envelopeAnswerJsonSchema(): Readonly<Record<string, unknown>> {
  const schema = z.toJSONSchema(EnvelopeAnswer, {
    io: "output",
    override({ jsonSchema }) {
      delete jsonSchema.default;
      delete jsonSchema.propertyNames;
    },
  });
  delete schema.$schema;
  return schema;
}

function highest(envelopes: readonly Envelope[]): Severity {
  const levels = envelopes.map(({ severity }) => SEVERITIES.indexOf(severity));
  return SEVERITIES[Math.max(...levels)] ?? "info";
}

function renderEnvelope(envelope: Envelope): string {
  const { free_text: freeText, agent, status } = envelope;
  if (freeText !== undefined && status !== "error") {
    if (freeText.length < SHORT_CHARACTERS) return freeText;
    return `**${SCHEMA_INVALID}** (${inline(agent)}): the answer is free text.\n\n${freeText}`;
  }
  return [
    ...headline(envelope),
    ...resources(envelope),
    ...issues(envelope),
    ...proposedChange(envelope),
    ...evidence(envelope),
    ...closing(envelope),
  ].join("\n\n");
}

function headline({ severity, status, summary }: Envelope): readonly string[] {
  const [first = "", ...rest] = summary.trim().split(/\n\s*\n/);
  const title = `${SEVERITY_TITLES[severity]}${status === "ok" || status === severity ? "" : ` (${status})`}`;
  return [`**${title}: ${inline(first)}**`, ...rest.map(plain)];
}

function resources({ data }: Envelope): readonly string[] {
  return Object.entries(data.resources)
    .filter(([, { items }]) => items.length > 0)
    .map(([kind, { columns, items }]) => `### ${inline(kind)}\n\n${table(columns, items)}`);
}

function issues({ data }: Envelope): readonly string[] {
  if (data.issues.length === 0) return [];
  const columns = ["Severity", "Resource", "Namespace", "Problem", "Evidence"];
  const rows = data.issues.map((issue) => [
    SEVERITY_TITLES[issue.severity],
    `${issue.resource_kind}/${issue.resource_name}`,
    issue.namespace,
    issue.message,
    issue.evidence,
  ]);
  return [`### Issues\n\n${table(columns, rows)}`];
}

function proposedChange({ data }: Envelope): readonly string[] {
  const change = data.proposed_change;
  if (change === null) return [];
  const title = `### Proposed change\n\n${inline(change.file_path)}`;
  const why = change.rationale.trim() === "" ? title : `${title}: ${inline(change.rationale)}`;
  return change.yaml_diff.trim() === "" ? [why] : [why, code(change.yaml_diff, "diff")];
}

function evidence(envelope: Envelope): readonly string[] {
  if (envelope.evidence.length === 0) return [];
  const lines = envelope.evidence.map(({ tool, cluster, excerpt }) => {
    const where = cluster === "" ? "" : ` (${inline(cluster)})`;
    return `- ${inline(tool)}${where}: ${inline(shortened(excerpt))}`;
  });
  return [`### Evidence\n\n${lines.join("\n")}`];
}

function closing({ raw_data_truncated: truncated, recommended_action: action }: Envelope) {
  const note = truncated ? ["Long tool output was shortened before it was read."] : [];
  return action.trim() === "" ? note : [...note, `*Next step: ${inline(action)}*`];
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  if (line.length <= EXCERPT_CHARACTERS) return line;
  return `${line.slice(0, EXCERPT_CHARACTERS).toWellFormed()} …`;
}

/** What JSON text stands for, a code fence around it or not; `undefined` for other text. */
function fromJson(text: string): unknown {
  if (text.length > MAX_ENVELOPE_CHARACTERS) return undefined;
  const trimmed = text.trim();
  const fenced = /^```[a-z]*\n/i.exec(trimmed);
  const body =
    fenced !== null && trimmed.endsWith("```") ? trimmed.slice(fenced[0].length, -3) : trimmed;
  try {
    return JSON.parse(body);
  } catch {
    return undefined; // not JSON: the caller treats it as free text
  }
}
