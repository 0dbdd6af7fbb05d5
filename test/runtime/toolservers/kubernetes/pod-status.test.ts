import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import type { KubeObject } from "../../../../runtime/api/cluster-reader.ts";
import { columnsOf } from "../../../../runtime/toolservers/kubernetes/columns.ts";
import { compactObject } from "../../../../runtime/toolservers/kubernetes/compact-object.ts";
import {
  describeOther,
  describeWorkload,
} from "../../../../runtime/toolservers/kubernetes/describe-object.ts";
import { describePod } from "../../../../runtime/toolservers/kubernetes/describe-pod.ts";
import { healthOf } from "../../../../runtime/toolservers/kubernetes/health.ts";
import { podStatus } from "../../../../runtime/toolservers/kubernetes/pod-status.ts";

const NOW = Date.UTC(2026, 0, 1, 12);

function pod(
  status: Readonly<Record<string, unknown>>,
  more: Readonly<Record<string, unknown>> = {},
): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "n", ...more },
    spec: { containers: [{ name: "a" }] },
    status,
  };
}

function container(state: unknown, more: Readonly<Record<string, unknown>> = {}) {
  return { name: "a", ready: false, restartCount: 0, state, ...more };
}

const ended = (minutes: number, reason: string, exitCode: number) => ({
  terminated: { reason, exitCode, finishedAt: new Date(NOW - minutes * 60_000).toISOString() },
});

interface Case {
  readonly status: KubeObject;
  readonly word: string;
  readonly healthy: boolean;
  readonly reason: RegExp;
}

const CASES: Readonly<Record<string, Case>> = {
  "a pod that runs": {
    status: pod({
      phase: "Running",
      containerStatuses: [container({ running: {} }, { ready: true })],
    }),
    word: "Running",
    healthy: true,
    reason: /^$/,
  },
  "a pod that is done": {
    status: pod({ phase: "Succeeded", containerStatuses: [container(ended(5, "Completed", 0))] }),
    word: "Completed",
    healthy: true,
    reason: /^$/,
  },
  "a pod that runs and is not ready": {
    status: pod({
      phase: "Running",
      containerStatuses: [container({ running: {} })],
      conditions: [
        { type: "Ready", status: "False", message: "containers with unready status: [a]" },
      ],
    }),
    word: "Running",
    healthy: false,
    reason: /unready status: \[a\]/,
  },
  "a pod that runs again since a minute": {
    status: pod({
      phase: "Running",
      containerStatuses: [
        container(
          { running: {} },
          { ready: true, restartCount: 4, lastState: ended(3, "OOMKilled", 137) },
        ),
      ],
    }),
    word: "Running",
    healthy: false,
    reason: /^a: OOMKilled \(exit code 137\) 3m ago$/,
  },
  "a pod that crashed yesterday": {
    status: pod({
      phase: "Running",
      containerStatuses: [
        container(
          { running: {} },
          { ready: true, restartCount: 1, lastState: ended(1500, "Error", 1) },
        ),
      ],
    }),
    word: "Running",
    healthy: true,
    reason: /^$/,
  },
  "a crash loop": {
    status: pod({
      phase: "Running",
      containerStatuses: [
        container(
          {
            waiting: {
              reason: "CrashLoopBackOff",
              message: "back-off 5m0s restarting failed container=a pod=p_n(1-2)",
            },
          },
          { restartCount: 9, lastState: ended(2, "Error", 1) },
        ),
      ],
    }),
    word: "CrashLoopBackOff",
    healthy: false,
    reason: /^a: Error \(exit code 1\) 2m ago; a: back-off 5m0s restarting failed container=a$/,
  },
  "a container with last words": {
    status: pod({
      phase: "Failed",
      containerStatuses: [
        container({
          terminated: { reason: "Error", exitCode: 1, message: "fatal:\n  no such setting\n" },
        }),
      ],
    }),
    word: "Error",
    healthy: false,
    reason: /^a: Error \(exit code 1\): fatal: no such setting$/,
  },
  "a container that ended by a signal without a reason": {
    status: pod({
      phase: "Failed",
      containerStatuses: [container({ terminated: { exitCode: 143 } })],
    }),
    word: "ExitCode:143",
    healthy: false,
    reason: /exit code 143/,
  },
  "an init container that fails": {
    status: pod({
      phase: "Pending",
      initContainerStatuses: [
        { name: "done", state: { terminated: { exitCode: 0, reason: "Completed" } } },
        {
          name: "migrate",
          state: { waiting: { reason: "CrashLoopBackOff", message: "back-off" } },
        },
      ],
      containerStatuses: [container({ waiting: { reason: "PodInitializing" } })],
    }),
    word: "Init:CrashLoopBackOff",
    healthy: false,
    reason: /migrate: back-off/,
  },
  "an init container that runs": {
    status: pod({
      phase: "Pending",
      initContainerStatuses: [
        { name: "one", state: { terminated: { exitCode: 0 } } },
        { name: "two", state: { running: {} } },
      ],
    }),
    word: "Init:1/2",
    healthy: false,
    reason: /^$/,
  },
  "a pod without a node": {
    status: pod({
      phase: "Pending",
      conditions: [{ type: "PodScheduled", status: "False", message: "0/3 nodes are available" }],
    }),
    word: "Pending",
    healthy: false,
    reason: /0\/3 nodes are available/,
  },
  "an evicted pod": {
    status: pod({
      phase: "Failed",
      reason: "Evicted",
      message: "The node was low on resource: memory.",
    }),
    word: "Evicted",
    healthy: false,
    reason: /low on resource/,
  },
  "a pod that is being deleted": {
    status: pod({ phase: "Running" }, { deletionTimestamp: "2026-01-01T11:59:00Z" }),
    word: "Terminating",
    healthy: false,
    reason: /^$/,
  },
  "a pod about which nothing is known": {
    status: pod({}),
    word: "Unknown",
    healthy: false,
    reason: /^$/,
  },
};

describe("runtime/toolservers/kubernetes/pod-status", () => {
  for (const [what, { status, word, healthy, reason }] of Object.entries(CASES))
    it(`calls ${what} ${word}, ${healthy ? "healthy" : "unhealthy"}`, () => {
      const found = podStatus(status, NOW);
      assert.equal(found.status, word);
      assert.equal(found.healthy, healthy);
      assert.match(found.reason, reason);
    });

  it("counts a sidecar that is an init container neither as waiting nor as failing", () => {
    const sidecar: KubeObject = {
      ...pod({
        phase: "Running",
        initContainerStatuses: [{ name: "proxy", ready: true, state: { running: {} } }],
        containerStatuses: [container({ running: {} }, { ready: true })],
      }),
      spec: {
        containers: [{ name: "a" }],
        initContainers: [{ name: "proxy", restartPolicy: "Always" }],
      },
    };
    assert.equal(podStatus(sidecar, NOW).status, "Running");
  });

  it("stands whatever an API server sends", () => {
    const anything = fc.record({
      apiVersion: fc.constant("v1"),
      kind: fc.constantFrom("Pod", "Deployment", "Node", "Event", "Service", "Other"),
      metadata: fc.record({ name: fc.string(), namespace: fc.string() }),
      spec: fc.jsonValue(),
      status: fc.oneof(
        fc.jsonValue(),
        fc.record({
          containerStatuses: fc.array(fc.jsonValue()),
          conditions: fc.array(fc.jsonValue()),
        }),
      ),
    });
    const resource = {
      group: "",
      version: "v1",
      plural: "things",
      singular: "",
      shortNames: [],
      categories: [],
      namespaced: true,
      verbs: [],
    };
    fc.assert(
      fc.property(anything, (value) => {
        const object = value as unknown as KubeObject;
        healthOf(object, NOW);
        compactObject(object);
        describePod(object, NOW);
        describeWorkload(object, [object], NOW);
        describeOther(object, NOW);
        for (const { cell } of columnsOf({ ...resource, kind: object.kind }))
          assert.equal(typeof cell(object, NOW), "string");
      }),
    );
  });
});

describe("runtime/toolservers/kubernetes/health", () => {
  const object = (kind: string, spec: unknown, status: unknown): KubeObject => ({
    apiVersion: "v1",
    kind,
    metadata: { name: "o" },
    spec,
    status,
  });
  const condition = (type: string, status: string, message = "why") => ({
    conditions: [{ type, status, reason: "Because", message }],
  });

  for (const [what, each, expected] of [
    [
      "a deployment with too few replicas",
      object("Deployment", { replicas: 3 }, { readyReplicas: 1 }),
      "1 of 3 ready",
    ],
    ["a deployment scaled to nothing", object("Deployment", { replicas: 0 }, {}), ""],
    [
      "a rollout that is stuck while old replicas serve",
      object(
        "Deployment",
        { replicas: 1 },
        { readyReplicas: 1, ...condition("Progressing", "False") },
      ),
      "Because: why",
    ],
    [
      "a daemon set",
      object("DaemonSet", {}, { desiredNumberScheduled: 3, numberReady: 2 }),
      "2 of 3 ready",
    ],
    [
      "a claim without a volume",
      object("PersistentVolumeClaim", {}, { phase: "Pending" }),
      "phase is Pending",
    ],
    [
      "a namespace on its way out",
      object("Namespace", {}, { phase: "Terminating" }),
      "phase is Terminating",
    ],
    ["a node that is not ready", object("Node", {}, condition("Ready", "Unknown")), "Because: why"],
    [
      "a node under pressure",
      object("Node", {}, condition("MemoryPressure", "True")),
      "Because: why",
    ],
    ["a job that failed", object("Job", {}, condition("Failed", "True")), "Because: why"],
    [
      "a custom object that is not ready",
      object("Agent", {}, condition("Ready", "False")),
      "Because: why",
    ],
    ["a custom object that is ready", object("Agent", {}, condition("Ready", "True")), ""],
    [
      "an operator that no longer progresses",
      object("Other", {}, condition("Progressing", "False")),
      "",
    ],
    ["an object without status", object("ConfigMap", undefined, undefined), ""],
  ] as const)
    it(`sees ${what} as ${expected === "" ? "well" : expected}`, () => {
      assert.deepEqual(healthOf(each, NOW), { healthy: expected === "", reason: expected });
    });
});
