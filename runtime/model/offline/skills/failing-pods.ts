import { numberAt, textAt } from "../json-read.ts";
import { callOf, type PlannedCall } from "../known-tool.ts";
import { podFinding } from "../pod-finding.ts";
import type { PodState } from "../pod-trouble.ts";
import { type ClusterEvent, readEvents } from "../read-events.ts";
import { type FailingPod, podKey, readPods, type SeenPods } from "../read-pods.ts";
import { code } from "../render-report.ts";
import { type Report, report } from "../report.ts";
import { kindsIn } from "../resource-kinds.ts";
import { answersOf, type Situation, toolNamed } from "../situation.ts";
import type { Skill } from "../skill.ts";
import { mentions, namespaceIn } from "../subject.ts";
import { counted, hits, named, nameWords } from "../words.ts";

const TROUBLE =
  /\b(crash\w*|restart\w*|oom\w*|fail\w*|unhealthy|healthy|health|pending|evicted|broken|wrong|back-?off|not ready|unready|down|problems?|issues?|triage|troubleshoot\w*|diagnos\w*|unschedul\w*|image ?pull\w*|stuck|trouble|investigat\w*|incidents?|alert ?name|happening|error(?:s|ing)?)\b/iu;

const WORKLOADS = new Set(["pods", "deployments", "statefulsets", "daemonsets", "replicasets"]);

/** Namespaces whose events, and pods whose logs are read. With the list: ten calls. */
const MAX_NAMESPACES = 4;
const MAX_LOGS = 5;
const LOG_TAIL = 40;

/** Which pods fail, and why: their list, then the events and logs of those that do. */
export const failingPods: Skill = {
  name: "failing pods",

  score(situation) {
    if (toolNamed(situation, "k8s_get_resources") === undefined) return 0;
    const trouble = hits(situation.question, TROUBLE).length;
    if (trouble === 0) return 0;
    const kinds = kindsIn(situation.question);
    const others = kinds.filter(({ type }) => !WORKLOADS.has(type)).length;
    return trouble * 3 + (kinds.length > others ? 3 : 0) - others;
  },

  plan(situation) {
    const first = listCall(situation, "json");
    const table = listCall(situation, "wide");
    const seen = readPods(situation);
    const lists = answersOf(situation, "k8s_get_resources").length;
    if (seen === undefined) return lists === 0 ? [first] : [first, table];
    // A table holds more pods than the JSON of the same size.
    if (seen.missing && lists < 2) return [first, table];
    return [first, ...evidenceCalls(situation, seen.failing)];
  },

  report(situation) {
    const seen = readPods(situation);
    if (seen === undefined)
      return report({
        operation: "triage",
        summary: "The pods could not be listed, so nothing can be said about them.",
        severity: "warning",
      });
    return podReport(situation, seen);
  },
};

function listCall(situation: Situation, output: "json" | "wide"): PlannedCall | undefined {
  const namespace = namespaceIn(situation.question);
  return callOf(toolNamed(situation, "k8s_get_resources"), {
    resource_type: "pods",
    ...(namespace === undefined ? { all_namespaces: true } : { namespace }),
    output,
  });
}

function evidenceCalls(situation: Situation, failing: readonly FailingPod[]) {
  const namespaces = [...new Set(failing.map(({ namespace }) => namespace))];
  const events = toolNamed(situation, "k8s_get_events");
  const logs = toolNamed(situation, "k8s_get_pod_logs");
  return [
    ...namespaces.slice(0, MAX_NAMESPACES).map((namespace) => callOf(events, { namespace })),
    ...withLogs(failing).map(({ namespace, name, trouble }) =>
      callOf(logs, {
        pod_name: name,
        namespace,
        container: trouble.container === "" ? undefined : trouble.container,
        tail_lines: LOG_TAIL,
        previous: trouble.exitCode === undefined ? undefined : true,
      }),
    ),
  ];
}

/** Pods whose log may tell something: they ran. One for each workload, as its pods fail alike. */
function withLogs(failing: readonly FailingPod[]): readonly FailingPod[] {
  const byOwner = new Map<string, FailingPod>();
  for (const pod of failing) {
    const { reason } = pod.trouble;
    const ran = pod.restarts > 0 || pod.trouble.exitCode !== undefined || reason === "NotReady";
    const owner = `${pod.namespace}/${pod.owner}`;
    if (ran && !byOwner.has(owner)) byOwner.set(owner, pod);
  }
  return [...byOwner.values()].slice(0, MAX_LOGS);
}

function podReport(situation: Situation, seen: SeenPods): Report {
  const { total, failing, missing } = seen;
  const cluster = toolNamed(situation, "k8s_get_resources")?.cluster ?? "";
  const where = cluster === "" ? "" : ` in cluster ${cluster}`;
  const namespaces = [...new Set(failing.map(({ namespace }) => namespace))];
  const namespace =
    namespaceIn(situation.question) ?? (namespaces.length === 1 ? namespaces[0] : "");
  const notes = [...(missing ? ["The tool left pods out of its list, so there may be more."] : [])];
  const shared = {
    operation: "triage",
    cluster,
    namespace: namespace ?? "",
    incomplete: missing,
    notes,
  };
  if (failing.length === 0) return report({ ...shared, ...allWell(situation, seen, where) });
  const findings = failing.map((pod, index) => {
    const finding = podFinding(pod, evidenceFor(situation, pod));
    const twin = failing.slice(0, index).find((other) => isTwin(other, pod));
    if (twin === undefined) return finding;
    return { ...finding, details: [`As its twin \`${code(podKey(twin))}\`.`] };
  });
  const list = failing.map((pod) => `${podKey(pod)} (${pod.trouble.reason})`);
  const verb = failing.length === 1 ? "needs" : "need";
  return report({
    ...shared,
    summary: `${unknownNames(seen)}${failing.length} of ${counted(total, "pod")} ${verb} attention${where}: ${named(list, 12)}.`,
    findings,
    tables: [
      {
        title: "Pod",
        columns: ["Namespace", "Pod", "Reason", "Restarts", "Node"],
        rows: failing.map((pod) => [
          pod.namespace,
          pod.name,
          pod.trouble.reason,
          pod.restarts,
          pod.node || "-",
        ]),
      },
    ],
    next: nextStep(failing, findings),
  });
}

/** A sentence about names in the question that nothing bears; empty without any. */
function unknownNames({ unmet }: Pick<SeenPods, "unmet">): string {
  return unmet.length === 0 ? "" : `Nothing called ${named(unmet)} was seen. `;
}

function allWell(
  situation: Situation,
  { pods, total, unmet }: SeenPods,
  where: string,
): Partial<Report> & { summary: string } {
  const namespace = namespaceIn(situation.question);
  if (pods.length === 0)
    return {
      summary: `No pods were found${namespace === undefined ? "" : ` in namespace ${namespace}`}${where}.`,
    };
  const words = new Set(nameWords(situation.question));
  const asked = pods.filter(({ name }) => mentions(words, name));
  const who = asked.length > 0 ? named(asked.map(podKey)) : counted(total, "pod");
  const verb = (asked.length || total) === 1 ? "runs and is" : "run and are";
  return {
    summary: `${unknownNames({ unmet })}${who} ${verb} ready${where}; none was seen to fail.`,
  };
}

function nextStep(
  failing: readonly FailingPod[],
  findings: readonly { details: readonly string[] }[],
): string {
  const [first] = failing;
  const advice = findings[0]?.details.at(-1)?.replace(/^Next: /, "") ?? "";
  return first === undefined
    ? ""
    : `begin with ${podKey(first)} (${first.trouble.reason}): ${advice}`;
}

function evidenceFor(situation: Situation, pod: FailingPod) {
  const events = answersOf(situation, "k8s_get_events").filter(({ failed }) => !failed);
  const own = events
    .filter(({ args }) => ["", pod.namespace].includes(textAt(args, "namespace")))
    .flatMap(readEvents)
    .filter((event) => isAbout(event, pod));
  const logs = answersOf(situation, "k8s_get_pod_logs").filter(
    ({ args, failed, text }) =>
      !failed && text !== "" && textAt(args, "namespace") === pod.namespace,
  );
  const log =
    logs.find(({ args }) => textAt(args, "pod_name") === pod.name) ??
    logs.find(({ args }) => sameWorkload(textAt(args, "pod_name"), pod));
  return {
    events: own.sort(byTelling),
    eventTool: events[0]?.name ?? "",
    log: log && { tool: log.name, text: log.text, pod: textAt(log.args, "pod_name") },
  };
}

function sameWorkload(name: string, { owner }: PodState): boolean {
  return owner !== "" && name.startsWith(`${owner}-`);
}

function isAbout({ object, type, namespace }: ClusterEvent, pod: PodState): boolean {
  return (
    type === "Warning" &&
    object === `pod/${pod.name}` &&
    (namespace === "" || namespace === pod.namespace)
  );
}

/** Whether two pods of one workload fail alike. */
function isTwin(a: FailingPod, b: FailingPod): boolean {
  const same = a.owner === b.owner && a.namespace === b.namespace;
  return same && a.owner !== a.name && a.trouble.reason === b.trouble.reason;
}

/** Events that repeat another's words come last. */
const ECHOES = /^(BackOff|Failed)$/;

function byTelling(a: ClusterEvent, b: ClusterEvent): number {
  const echo = (event: ClusterEvent) =>
    ECHOES.test(event.reason) && /back-?off|^Error: /i.test(event.message) ? 1 : 0;
  return echo(a) - echo(b) || (numberAt(b, "count") ?? 0) - (numberAt(a, "count") ?? 0);
}
