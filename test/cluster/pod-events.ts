import type { ClusterObject } from "./api-client.ts";
import type { Workload } from "./workload-facts.ts";
import { digest, minutesBefore, nodeOf } from "./workload-objects.ts";

/** What one event says. */
interface EventFacts {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly message: string;
  /** How often it was seen. */
  readonly count: number;
  /** Minutes since it was seen last. */
  readonly lastMinutes: number;
  /** Who reports. */
  readonly from: "default-scheduler" | "kubelet";
}

/** Minutes since the first sight of every event. */
const FIRST_MINUTES = 119;

/**
 * Events about one pod, as the scheduler and the kubelet would have sent them (core/v1).
 *
 * @param uid - The pod's uid.
 * @param now - Milliseconds since 1970.
 */
export function podEvents(
  workload: Workload,
  pod: string,
  uid: string,
  now: number,
): readonly ClusterObject[] {
  const { namespace, deployment } = workload;
  return eventFacts(workload, pod, uid).map((facts) => {
    const isKubelet = facts.from === "kubelet";
    return {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: `${pod}.${digest(facts.reason + facts.message, 16)}`, namespace },
      involvedObject: {
        apiVersion: "v1",
        kind: "Pod",
        namespace,
        name: pod,
        uid,
        ...(isKubelet ? { fieldPath: `spec.containers{${deployment}}` } : {}),
      },
      type: facts.type,
      reason: facts.reason,
      message: facts.message,
      count: facts.count,
      firstTimestamp: minutesBefore(now, FIRST_MINUTES),
      lastTimestamp: minutesBefore(now, facts.lastMinutes),
      source: {
        component: facts.from,
        ...(isKubelet ? { host: nodeOf(workload, pod).name } : {}),
      },
      reportingComponent: facts.from,
      reportingInstance: isKubelet ? nodeOf(workload, pod).name : "",
    };
  });
}

function eventFacts(workload: Workload, pod: string, uid: string): readonly EventFacts[] {
  const { namespace, deployment, image, state } = workload;
  if (state.kind === "unschedulable") {
    const { message } = state;
    return [
      {
        type: "Warning",
        reason: "FailedScheduling",
        message,
        count: 24,
        lastMinutes: 1,
        from: "default-scheduler",
      },
    ];
  }
  const scheduled: EventFacts = {
    type: "Normal",
    reason: "Scheduled",
    message: `Successfully assigned ${namespace}/${pod} to ${nodeOf(workload, pod).name}`,
    count: 1,
    lastMinutes: FIRST_MINUTES,
    from: "default-scheduler",
  };
  const kubelet = (
    type: EventFacts["type"],
    reason: string,
    message: string,
    count: number,
  ): EventFacts => {
    const lastMinutes = count === 1 ? FIRST_MINUTES : 2;
    return { type, reason, message, count, lastMinutes, from: "kubelet" };
  };
  if (state.kind === "image-pull") {
    return [
      scheduled,
      kubelet("Normal", "Pulling", `Pulling image "${image}"`, 26),
      kubelet("Warning", "Failed", `Failed to pull image "${image}": ${state.message}`, 26),
      kubelet("Warning", "Failed", "Error: ErrImagePull", 26),
      kubelet("Normal", "BackOff", `Back-off pulling image "${image}"`, 501),
      kubelet("Warning", "Failed", "Error: ImagePullBackOff", 501),
    ];
  }
  const starts = state.kind === "running" ? 1 : state.restartCount + 1;
  const started = [
    scheduled,
    kubelet("Normal", "Pulled", `Container image "${image}" already present on machine`, starts),
    kubelet("Normal", "Created", `Container created`, starts),
    kubelet("Normal", "Started", `Container started`, starts),
  ];
  if (state.kind === "running") return started;
  const backOff = `Back-off restarting failed container ${deployment} in pod ${pod}_${namespace}(${uid})`;
  return [...started, kubelet("Warning", "BackOff", backOff, starts * 13)];
}
