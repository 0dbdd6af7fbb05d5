import type { PodState, Workload } from "./workload-facts.ts";
import { digest, minutesBefore, nodeOf } from "./workload-objects.ts";

type Json = Readonly<Record<string, unknown>>;

/** Minutes since the pods were made. */
const AGE = 120;

/**
 * Status of one pod as the scheduler and the kubelet would have written it.
 *
 * @param uid - The pod's uid, which the kubelet repeats in its messages.
 * @param now - Milliseconds since 1970.
 */
export function podStatus(workload: Workload, name: string, uid: string, now: number): Json {
  const { state } = workload;
  if (state.kind === "unschedulable") {
    const condition = {
      type: "PodScheduled",
      status: "False",
      reason: state.reason,
      message: state.message,
      lastTransitionTime: minutesBefore(now, AGE),
    };
    return { phase: "Pending", conditions: [condition] };
  }
  const node = nodeOf(workload, name);
  const podIP = `10.244.${node.name.slice(-1)}.${Number.parseInt(digest(name, 2), 16)}`;
  const status = containerStatus(workload, state, `${name}_${workload.namespace}(${uid})`, now);
  return {
    phase: state.kind === "image-pull" ? "Pending" : "Running",
    startTime: minutesBefore(now, AGE),
    hostIP: node.address,
    hostIPs: [{ ip: node.address }],
    podIP,
    podIPs: [{ ip: podIP }],
    conditions: conditions(workload.deployment, status.ready, now),
    containerStatuses: [status],
  };
}

function conditions(container: string, isReady: boolean, now: number): readonly Json[] {
  const since = minutesBefore(now, AGE);
  const fulfilled = (type: string): Json => ({ type, status: "True", lastTransitionTime: since });
  const readiness = (type: string): Json =>
    isReady
      ? fulfilled(type)
      : {
          type,
          status: "False",
          reason: "ContainersNotReady",
          message: `containers with unready status: [${container}]`,
          lastTransitionTime: since,
        };
  return [
    fulfilled("PodReadyToStartContainers"),
    fulfilled("Initialized"),
    readiness("Ready"),
    readiness("ContainersReady"),
    fulfilled("PodScheduled"),
  ];
}

interface ContainerStatus {
  readonly ready: boolean;
  readonly [field: string]: unknown;
}

/** @param podInWords - How the kubelet names the pod in messages: `name_namespace(uid)`. */
function containerStatus(
  workload: Workload,
  state: Exclude<PodState, { kind: "unschedulable" }>,
  podInWords: string,
  now: number,
): ContainerStatus {
  const { deployment: name, image } = workload;
  const containerID = `containerd://${digest(podInWords, 64)}`;
  const common = {
    name,
    image,
    imageID: `sha256:${digest(image, 64)}`,
    containerID,
    lastState: {},
  };
  switch (state.kind) {
    case "running":
      return {
        ...common,
        ready: true,
        started: true,
        restartCount: 0,
        state: { running: { startedAt: minutesBefore(now, AGE - 1) } },
      };
    case "oom-killed":
      return {
        ...common,
        ready: true,
        started: true,
        restartCount: state.restartCount,
        state: { running: { startedAt: minutesBefore(now, 3) } },
        lastState: {
          terminated: {
            reason: state.lastReason,
            exitCode: state.exitCode,
            startedAt: minutesBefore(now, 21),
            finishedAt: minutesBefore(now, 4),
            containerID,
          },
        },
      };
    case "crash-loop":
      return {
        ...common,
        ready: false,
        started: false,
        restartCount: state.restartCount,
        state: {
          waiting: {
            reason: state.reason,
            message: `back-off 5m0s restarting failed container=${name} pod=${podInWords}`,
          },
        },
        lastState: {
          terminated: {
            reason: state.lastReason,
            exitCode: state.exitCode,
            message: state.message,
            startedAt: minutesBefore(now, 2),
            finishedAt: minutesBefore(now, 2),
            containerID,
          },
        },
      };
    case "image-pull":
      return {
        name,
        image,
        imageID: "",
        ready: false,
        started: false,
        restartCount: 0,
        state: {
          waiting: {
            reason: state.reason,
            message: `Back-off pulling image "${image}": ErrImagePull: ${state.message}`,
          },
        },
        lastState: {},
      };
  }
}
