import * as z from "zod";
import type { KubeObject } from "../../api/cluster-reader.ts";
import type { ToolDefinition } from "../../api/tool.ts";
import { count, flag, objectName, optionalName, optionalNamespace } from "../arguments.ts";
import { boundBytes, clip, trimLines } from "../bounded-text.ts";
import { defineTool, ToolFailure } from "../define-tool.ts";
import { listAt, numberAt, textAt, valueAt } from "../json-value.ts";
import { podStatus } from "./pod-status.ts";
import { type ClusterToolsDeps, findObject, reading, resourceType } from "./reading.ts";

/** 1000 lines can be asked for; 100 + 100 of them are shown. */
const MAX_LINES = 1000;
const DEFAULT_LINES = 100;
/** 1 MiB of log is read at most. */
const MAX_LOG_BYTES = 1024 * 1024;
/** 2000 characters of a line: stack frames stay whole, embedded documents do not. */
const MAX_LINE = 2000;

/** `k8s_get_pod_logs`. */
export function getPodLogs(deps: ClusterToolsDeps): ToolDefinition {
  return defineTool({
    name: "k8s_get_pod_logs",
    description:
      "Last lines of a pod's log. Use it for pods that crash or are not ready; with previous=true for the run before the last restart. The container may be left out: the failing one is taken.",
    inputSchema: z.strictObject({
      pod_name: objectName("Name of the pod"),
      namespace: optionalNamespace("Namespace; absent: the pod is looked for in all of them"),
      container: optionalName("Container; absent: the failing one, else the first"),
      tail_lines: count(MAX_LINES, DEFAULT_LINES, `Last lines to read, up to ${MAX_LINES}`),
      previous: flag("Read the run before the last restart"),
    }),
    run: (args, { signal }) =>
      reading(deps, signal, async (now) => {
        const resource = await resourceType(now, "pods");
        const { pod_name: name, namespace, tail_lines: tailLines } = args;
        const pod = await findObject(now, { resource, name, namespace });
        const container = chosen(pod, args.container);
        const run = args.previous ? "previous" : "current";
        const place = pod.metadata.namespace ?? "default";
        const query = {
          namespace: place,
          pod: name,
          container,
          tailLines,
          limitBytes: MAX_LOG_BYTES,
          run,
        } as const;
        const log = await now.cluster.logs(query, now.signal);
        const head = `log of container ${container} of pod ${place}/${name}, ${run} run, last ${tailLines} lines`;
        return boundBytes(
          [head, ...(shownLines(log) ?? [emptyLine(pod, run, now.now)])].join("\n"),
        );
      }),
  });
}

function shownLines(log: string): readonly string[] | undefined {
  const lines = log.split("\n").map((line) => clip(line.trimEnd(), MAX_LINE));
  if (lines.at(-1) === "") lines.pop();
  return lines.length === 0 ? undefined : trimLines(lines);
}

/** An empty log is no answer: what the pod's status says may be one. */
function emptyLine(pod: KubeObject, run: "current" | "previous", now: number): string {
  const { healthy, status, reason, restarts } = podStatus(pod, now);
  const why = healthy ? "" : `; the pod is ${status}${reason === "" ? "" : `: ${reason}`}`;
  const hint =
    run === "current" && restarts > 0
      ? "; previous=true reads the run before the last restart"
      : "";
  return `(empty${why}${hint})`;
}

/** The container that was asked for, else the failing one, else the pod's default, else the first. */
function chosen(pod: KubeObject, wanted: string | undefined): string {
  const names = containerNames(pod);
  if (wanted !== undefined) {
    if (names.includes(wanted)) return wanted;
    throw new ToolFailure(
      `pod ${pod.metadata.name} has no container ${wanted}; it has ${names.join(", ")}`,
    );
  }
  const byDefault = pod.metadata.annotations?.["kubectl.kubernetes.io/default-container"];
  const [first] = names;
  const container =
    failing(pod) ?? (byDefault !== undefined && names.includes(byDefault) ? byDefault : first);
  if (container === undefined) throw new ToolFailure(`pod ${pod.metadata.name} has no containers`);
  return container;
}

function containerNames(pod: KubeObject): readonly string[] {
  return [...listAt(pod, "spec", "containers"), ...listAt(pod, "spec", "initContainers")].map(
    (each) => textAt(each, "name"),
  );
}

function failing(pod: KubeObject): string | undefined {
  const init = listAt(pod, "status", "initContainerStatuses").find(
    (each) =>
      valueAt(each, "state", "waiting") !== undefined && (numberAt(each, "restartCount") ?? 0) > 0,
  );
  const status =
    init ??
    listAt(pod, "status", "containerStatuses").find(
      (each) => valueAt(each, "ready") === false && (numberAt(each, "restartCount") ?? 0) > 0,
    );
  return status === undefined ? undefined : textAt(status, "name");
}
