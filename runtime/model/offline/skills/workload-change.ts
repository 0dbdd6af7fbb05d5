import {
  ASSUMED,
  asksForChange,
  changedNames,
  changeWords,
  isNamed,
  requestedChange,
} from "../change-request.ts";
import { callOf } from "../known-tool.ts";
import { editManifest, type ManifestChange, placesIn } from "../manifest-edit.ts";
import { blockDiff } from "../manifest-patch.ts";
import { podFinding } from "../pod-finding.ts";
import { type FailingPod, readPods } from "../read-pods.ts";
import { type ProposedChange, type Report, report } from "../report.ts";
import { hasTools, type Situation, toolNamed } from "../situation.ts";
import type { Skill } from "../skill.ts";
import { namespaceIn } from "../subject.ts";
import { named, oneLine } from "../words.ts";
import { sourceCalls, sourceOf, type WorkloadSource } from "../workload-source.ts";

const FIX = /\b(fix|mend|repair|remedy|resolve)\b/iu;

/**
 * Reads the state of a workload that is to be changed, and proposes the change where the cluster tells from which file
 * the workload comes. Changes nothing: whoever may write does that.
 */
export const workloadChange: Skill = {
  name: "state of what is to change",

  score(situation) {
    const { question } = situation;
    if (!hasTools(situation, ["k8s_get_resources", "k8s_get_resource_yaml"])) return 0;
    if (changedNames(question).length === 0) return 0;
    if (!asksForChange(question) && !FIX.test(question)) return 0;
    if (requestedChange(question) === undefined && !FIX.test(question)) return 0;
    return 9 + changeWords(question).length;
  },

  plan(situation) {
    const source = found(situation);
    return [
      ...sourceCalls(situation, queryOf(situation)),
      ...(source === undefined
        ? []
        : [
            callOf(toolNamed(situation, "k8s_get_resources"), {
              resource_type: "pods",
              namespace: source.namespace,
              output: "json",
            }),
          ]),
    ];
  },

  report(situation) {
    const source = found(situation);
    if (source === undefined || source.manifest === "") return nothingFound(situation);
    const failing = failingOf(situation, source);
    const change = requestedChange(situation.question) ?? remedyFor(situation, failing);
    return stateReport(situation, source, { failing, change });
  },
};

function queryOf({ question }: Situation) {
  return { names: changedNames(question), namespace: namespaceIn(question) };
}

function found(situation: Situation): WorkloadSource | undefined {
  return sourceOf(situation, queryOf(situation));
}

function nothingFound(situation: Situation): Report {
  const names = changedNames(situation.question);
  return report({
    operation: "change",
    summary: `Not exactly one workload is called ${named(names)}, so nothing is proposed.`,
    severity: "warning",
    next: "name the workload and its namespace.",
  });
}

function failingOf(situation: Situation, { name }: WorkloadSource): readonly FailingPod[] {
  const failing = readPods(situation)?.failing ?? [];
  return failing.filter((pod) => pod.name.startsWith(`${name}-`));
}

/** What mends a failure by itself: more memory for who was killed for the want of it. Other causes need a person. */
function remedyFor(
  { question }: Situation,
  failing: readonly FailingPod[],
): ManifestChange | undefined {
  if (!FIX.test(question)) return undefined;
  if (!failing.some(({ trouble }) => trouble.reason === "OOMKilled")) return undefined;
  const subject = changedNames(question)[0] ?? "";
  return { key: "memory", to: { direction: "up" }, block: "limits", subject };
}

function stateReport(
  situation: Situation,
  source: WorkloadSource,
  {
    failing,
    change,
  }: {
    readonly failing: readonly FailingPod[];
    readonly change: ManifestChange | undefined;
  },
): Report {
  const proposal = change === undefined ? undefined : proposalOf(source, change, failing);
  const what = `${source.kind} ${source.namespace}/${source.name}`;
  const values = change === undefined ? [] : placesIn(source.manifest, change);
  const now = [...new Set(values.map(({ value }) => value))].join(", ");
  const state = change === undefined || now === "" ? "" : ` has ${titleOf(change)} ${now}`;
  const trouble = [...new Set(failing.map((pod) => pod.trouble.reason))];
  const health =
    failing.length === 0
      ? " none of its pods was seen to fail"
      : ` ${failing.length} of its pods need attention (${trouble.join(", ")})`;
  const end =
    proposal === undefined
      ? `Nothing is proposed: ${whyNot(source, change, now)}.`
      : `A change of ${proposal.file_path} is proposed.`;
  return report({
    operation: "change",
    cluster: toolNamed(situation, "k8s_get_resource_yaml")?.cluster ?? "",
    namespace: source.namespace,
    summary: `${what}${state};${health}. ${end}`,
    findings: failing.map((pod) => podFinding(pod, { events: [], log: undefined, eventTool: "" })),
    ...(proposal === undefined ? {} : { change: proposal }),
  });
}

/** What a change is about, e.g. `memory limit`. */
function titleOf({ key, block }: ManifestChange): string {
  if (key !== "memory" && key !== "cpu") return key;
  return `${key} ${block === "requests" ? "request" : "limit"}`;
}

function whyNot(
  { file, manifest }: WorkloadSource,
  change: ManifestChange | undefined,
  now: string,
): string {
  if (change === undefined) return "what is wrong is not mended by one value";
  if (now === "") return `it has no ${change.key}`;
  if (editManifest(manifest, change) === undefined)
    return change.to === undefined ? "the request names no new value" : "it has that value already";
  return file === "" ? "the cluster does not tell from which file it comes" : "it cannot be edited";
}

function proposalOf(
  { file, manifest, namespace, name }: WorkloadSource,
  change: ManifestChange,
  failing: readonly FailingPod[],
): ProposedChange | undefined {
  const edited = editManifest(manifest, change);
  if (edited === undefined || file === "") return undefined;
  const reasons = failing.map(({ name: pod, trouble }) => `pod ${pod}: ${trouble.reason}`);
  const why = [
    `Sets ${titleOf(change)} of ${namespace}/${name} to ${edited.value}.`,
    ...(reasons.length === 0 ? [] : [`Now: ${oneLine(reasons.join(", "), 300)}.`]),
    ...(isNamed(change) ? [] : [ASSUMED]),
    "The file follows from the path of the Flux Kustomization and the layout <path>/<workload>/<kind>.yaml.",
  ];
  return {
    file_path: file,
    yaml_diff: blockDiff(manifest, edited.content),
    rationale: why.join(" "),
  };
}
