import { type TestTool, testTool } from "./agent-turn.ts";

/** How a pod of the test cluster fares. */
export interface TestPod {
  readonly namespace: string;
  readonly name: string;
  readonly owner?: string;
  readonly phase?: string;
  readonly waiting?: { readonly reason: string; readonly message?: string };
  readonly last?: { readonly reason: string; readonly exitCode: number };
  readonly restarts?: number;
  readonly ready?: boolean;
  readonly unschedulable?: string;
  readonly memoryLimit?: string;
}

/** A pod as the API server describes it. */
export function podObject(pod: TestPod): Record<string, unknown> {
  const { namespace, name, owner, waiting, last, unschedulable, memoryLimit } = pod;
  const ready = pod.ready ?? (waiting === undefined && unschedulable === undefined);
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {
      name,
      namespace,
      ...(owner && { ownerReferences: [{ kind: "ReplicaSet", name: owner }] }),
    },
    spec: {
      nodeName: "node-1",
      containers: [
        {
          name: "main",
          image: `registry.test/${name}:1.0`,
          resources: { limits: { memory: memoryLimit ?? "128Mi" } },
        },
      ],
    },
    status: {
      phase: pod.phase ?? (unschedulable === undefined ? "Running" : "Pending"),
      conditions: [
        ...(unschedulable === undefined
          ? []
          : [
              {
                type: "PodScheduled",
                status: "False",
                reason: "Unschedulable",
                message: unschedulable,
              },
            ]),
        {
          type: "Ready",
          status: ready ? "True" : "False",
          message: ready ? "" : "containers not ready",
        },
      ],
      ...(unschedulable === undefined && {
        containerStatuses: [
          {
            name: "main",
            ready,
            restartCount: pod.restarts ?? 0,
            state: waiting === undefined ? { running: {} } : { waiting },
            lastState: last === undefined ? {} : { terminated: last },
          },
        ],
      }),
    },
  };
}

/** A List as tools answer it. */
export function listText(items: readonly unknown[], extra: object = {}): string {
  return JSON.stringify({ apiVersion: "v1", kind: "List", ...extra, items });
}

const SCHEMA = {
  resource_type: { type: "string" },
  resource_name: { type: "string" },
  namespace: { type: "string" },
  all_namespaces: { type: "boolean" },
  output: { type: "string" },
};

/** The Kubernetes read tools over the given objects. */
export function clusterTools(
  objects: Readonly<Record<string, readonly Record<string, unknown>[]>>,
  logs: Readonly<Record<string, string>> = {},
  cluster = "demo",
): readonly TestTool[] {
  const target = `k8s-tools-${cluster}`;
  const of = (type: unknown, namespace: unknown) =>
    (objects[String(type)] ?? []).filter(
      (each) =>
        namespace === undefined ||
        namespace === "" ||
        (each["metadata"] as { namespace?: string }).namespace === namespace,
    );
  return [
    testTool(
      `${target}_k8s_get_resources`,
      ({ resource_type: type, namespace }) =>
        objects[String(type)] === undefined
          ? `Error: unknown resource type "${String(type)}"`
          : listText(of(type, namespace)),
      SCHEMA,
      ["resource_type"],
    ),
    testTool(`${target}_k8s_get_events`, ({ namespace }) => listText(of("events", namespace)), {
      namespace: { type: "string" },
    }),
    testTool(
      `${target}_k8s_get_pod_logs`,
      ({ pod_name: name }) => logs[String(name)] ?? "Error: the container has no log",
      {
        pod_name: { type: "string" },
        namespace: { type: "string" },
        container: { type: "string" },
        tail_lines: { type: "integer" },
        previous: { type: "boolean" },
      },
      ["pod_name"],
    ),
  ];
}

/** A warning about a pod. */
export function podEvent(pod: TestPod, reason: string, message: string, count = 1) {
  return {
    metadata: { name: `${pod.name}.1`, namespace: pod.namespace },
    involvedObject: { kind: "Pod", name: pod.name, namespace: pod.namespace },
    type: "Warning",
    reason,
    message,
    count,
  };
}
