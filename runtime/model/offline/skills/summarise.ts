import type { Severity } from "../../../api/envelope.ts";
import { code } from "../render-report.ts";
import { report } from "../report.ts";
import type { Situation } from "../situation.ts";
import type { Skill } from "../skill.ts";
import { counted, oneLine } from "../words.ts";

/** Failures that a text may name, with how grave they are and what they point to. */
const SIGNS: readonly (readonly [RegExp, Severity, string])[] = [
  [
    /\bOOM-?killed|out of memory|memory limit\b/iu,
    "critical",
    "a container needs more memory than its limit allows",
  ],
  [
    /\bNode ?NotReady|node .{0,40}not ready|NodeHasDiskPressure|(?:Memory|Disk)Pressure\b/iu,
    "critical",
    "a node is not ready or short of a resource",
  ],
  [/\bdata loss|PersistentVolume .{0,40}fail\w*/iu, "critical", "a volume failed"],
  [
    /\bCrashLoopBackOff|crash(?:es|ing|ed)?\b/iu,
    "error",
    "a process ends again and again after its start",
  ],
  [/\bErrImagePull|ImagePullBackOff|manifest unknown\b/iu, "error", "an image cannot be pulled"],
  [
    /\bFailedScheduling|Unschedulable|insufficient (?:cpu|memory)\b/iu,
    "error",
    "no node has room for a pod",
  ],
  [
    /\bCreateContainerConfigError|(?:secret|configmap) .{0,60}not found\b/iu,
    "error",
    "a setting or secret that is referred to is missing",
  ],
  [
    /\bconnection refused|timed? ?out|deadline exceeded|unreachable\b/iu,
    "warning",
    "something that is depended on does not answer",
  ],
  [/\b(?:readiness|liveness) probe failed|not ready\b/iu, "warning", "a probe fails"],
  [
    /\breconciliation failed|not in sync|install retries exhausted|upgrade failed\b/iu,
    "error",
    "Flux or Helm could not apply a change",
  ],
];

/** 8 lines of the text are quoted. */
const MAX_LINES = 8;

/** Without tools: orders what the message itself says. */
export const summarise: Skill = {
  name: "summarise",

  score: ({ tools }) => (tools.length === 0 ? 1 : 0),

  plan: () => [],

  report({ question }: Situation) {
    const lines = question
      .split("\n")
      .map((line) => oneLine(line, 300))
      .filter((line) => line !== "");
    const signs = SIGNS.map(([pattern, severity, meaning]) => ({
      severity,
      meaning,
      lines: lines.filter((line) => pattern.test(line)),
    })).filter((sign) => sign.lines.length > 0);
    const ranked = signs.sort((a, b) => b.lines.length - a.lines.length);
    const [first] = ranked;
    const quoted = lines.filter((line) => ranked.some((sign) => sign.lines.includes(line)));
    return report({
      operation: "summary",
      summary:
        first === undefined
          ? `The message has ${counted(lines.length, "line")} and names no failure that the fixed rules know.`
          : `By what the message says, most likely ${first.meaning} (named in ${counted(first.lines.length, "line")}).`,
      severity: ranked.map(({ severity }) => severity).includes("critical")
        ? "critical"
        : (first?.severity ?? "info"),
      notes: [
        ...(ranked.length === 0
          ? []
          : [
              `Hypotheses, by how often the message names them:\n\n${ranked
                .map(
                  ({ meaning, lines: named }, index) =>
                    `${index + 1}. ${meaning}: ${counted(named.length, "line")}`,
                )
                .join("\n")}`,
            ]),
        `What the message says:\n\n${(quoted.length > 0 ? quoted : lines)
          .slice(0, MAX_LINES)
          .map((line) => `- \`${code(line)}\``)
          .join("\n")}`,
        ...(ranked.length === 0 ? [] : ["Gap: nothing beyond the message itself was looked at."]),
      ],
      next: first === undefined ? "" : "check the first hypothesis against the cluster.",
    });
  },
};
