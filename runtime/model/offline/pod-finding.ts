import type { PodState, PodTrouble } from "./pod-trouble.ts";
import type { ClusterEvent } from "./read-events.ts";
import { code } from "./render-report.ts";
import type { Finding } from "./report.ts";
import { oneLine } from "./words.ts";

/** What the tools said about one pod. */
export interface PodEvidence {
  /** Warnings about the pod, most telling first. */
  readonly events: readonly ClusterEvent[];
  /** Its log, or of its workload's other pod; `undefined` when none was read. */
  readonly log: { readonly tool: string; readonly text: string; readonly pod: string } | undefined;
  /** Tool the events came from. */
  readonly eventTool: string;
}

/** 3 log lines and 2 events per pod are shown. */
const LOG_LINES = 3;
const EVENTS = 2;
const MAX_LINE = 300;

/** Lines of logs that tell why something went wrong. */
const TELLING =
  /\b(error|fatal|panic|exception|traceback|critical|refused|denied|timed? ?out|timeout|not found|no such|missing|invalid|cannot|can't|could not|unable|failed|failure|unhealthy|killed|exit(?:ed|ing)?)\b/i;

/** Lines that a process ends with; worth more than an error it lived on with. */
const LAST_WORDS = /\b(fatal|panic|out of memory|oom|heap|traceback|segmentation fault|exiting)\b/i;

/** Lines that the tool wrote itself. */
const HEADING = /^(?:\[?\.\.\. .*left out|log of container |\(empty)/;

/** The last lines of `log` that tell of a failure, else its last line; oldest first. */
export function tellingLines(log: string, max = LOG_LINES): readonly string[] {
  const lines = log
    .split("\n")
    .map((line) => oneLine(line, MAX_LINE))
    .filter((line) => line !== "" && !HEADING.test(line));
  const ranked = [LAST_WORDS, TELLING].flatMap((pattern) =>
    lines.flatMap((line, at) => (pattern.test(line) ? [at] : [])).reverse(),
  );
  const best = [...new Set(ranked)].slice(0, max).sort((a, b) => a - b);
  return best.length === 0 ? lines.slice(-1) : best.map((at) => lines[at] ?? "");
}

/** A failing pod with its likely cause, taken from the evidence alone. */
export function podFinding(
  state: PodState & { readonly trouble: PodTrouble },
  evidence: PodEvidence,
): Finding {
  const { trouble } = state;
  const lines = evidence.log === undefined ? [] : tellingLines(evidence.log.text);
  const events = worthTelling(evidence.events, lines).slice(0, EVENTS);
  const cause = causeOf(trouble, evidence.events, lines);
  const quotes = [
    ...lines.map((line) => `\`${code(line)}\` (${evidence.log?.tool ?? ""})`),
    ...events.map(({ reason, message, count }) => {
      const times = count > 1 ? ` ${count} times` : "";
      return `\`${code(`${reason}: ${message}`)}\`${times} (${evidence.eventTool})`;
    }),
  ];
  return {
    resource_kind: "Pod",
    resource_name: state.name,
    namespace: state.namespace,
    severity: trouble.severity,
    message: `${headline(state)}. ${cause}`,
    evidence: oneLine(
      [
        ...lines,
        ...events.map((event) => `${event.reason}: ${event.message}`),
        ...(lines.length + events.length === 0 ? [trouble.message] : []),
      ].join("; "),
      600,
    ),
    details: [...quotes.map((quote) => `Evidence: ${quote}`), `Next: ${adviceFor(trouble.reason)}`],
  };
}

/** Events without those that only say that a container is started again, where there is something better. */
function worthTelling(events: readonly ClusterEvent[], lines: readonly string[]) {
  const telling = events.filter(({ reason }) => reason !== "BackOff");
  return telling.length > 0 || lines.length > 0 ? telling : events;
}

function headline({ trouble, restarts }: PodState & { readonly trouble: PodTrouble }): string {
  const { reason, container, exitCode } = trouble;
  return [
    reason,
    ...(container === "" ? [] : [`container ${container}`]),
    ...(exitCode === undefined ? [] : [`exit code ${exitCode}`]),
    ...(restarts === 0 ? [] : [`${restarts} ${restarts === 1 ? "restart" : "restarts"}`]),
  ].join(", ");
}

function causeOf(
  trouble: PodTrouble,
  events: readonly ClusterEvent[],
  lines: readonly string[],
): string {
  const told = events[0]?.message ?? "";
  return (
    byReason(trouble, trouble.message || told) ?? byEvidence(trouble, told, lines.at(-1) ?? "")
  );
}

/** Reasons that name the cause themselves. */
function byReason(trouble: PodTrouble, said: string): string | undefined {
  const { reason, container, memoryLimit, image } = trouble;
  if (reason === "OOMKilled")
    return memoryLimit === ""
      ? `Likely cause: ${container || "a container"} used more memory than it may.`
      : `Likely cause: ${container} used more memory than its limit of ${memoryLimit}.`;
  if (/image/i.test(reason))
    return `Likely cause: the image ${image || "it names"} cannot be pulled${because(said)}`;
  if (reason === "Unschedulable" || /config/i.test(reason))
    return `Likely cause${because(said) || " is not in the status or the events."}`;
  return undefined;
}

function byEvidence({ reason, message }: PodTrouble, told: string, last: string): string {
  if (last !== "" && reason !== "NotReady")
    return `Likely cause, by its log${because(last.replace(TIMESTAMP, ""))}`;
  if (told !== "") return `Likely cause, by its events${because(told)}`;
  if (message !== "") return `The cluster says${because(message)}`;
  return "Neither its status, its events nor its log says why.";
}

function because(text: string): string {
  const line = oneLine(text, MAX_LINE).replace(/[.\s]+$/, "");
  return line === "" ? "" : `: ${line}.`;
}

const TIMESTAMP = /^\[?\d{4}-\d\d-\d\d[T ][\d:.,]+(?:Z|[+-]\d\d:?\d\d)?\]?\s+/;

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/OOMKilled/, "compare its memory use with its limit; raise the limit or look for a leak."],
  [/image/i, "check that the tag exists in the registry and that the pull secret is right."],
  [/Config/, "create the ConfigMap, Secret or key that is missing, or correct its name."],
  [
    /Unschedulable|Pending/,
    "compare what it asks for with what the nodes have free, their taints and its volume claims.",
  ],
  [/NotReady/, "see why its readiness probe fails: port, path, or something it depends on."],
  [/Evicted/, "see which resource its node ran short of and set requests accordingly."],
  [/Creating|Initializing/, "see whether its volumes, secrets or init containers hold it up."],
];

function adviceFor(reason: string): string {
  const found = ADVICE.find(([pattern]) => pattern.test(reason));
  return found?.[1] ?? "mend what the last lines of its log name, then watch whether it stays up.";
}
