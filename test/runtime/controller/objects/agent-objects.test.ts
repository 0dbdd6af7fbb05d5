import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import type { AgentConfig } from "../../../../runtime/api/agent-config.ts";
import { readAgentFiles } from "../../../../runtime/api/agent-files.ts";
import type { KubeObject } from "../../../../runtime/api/cluster-reader.ts";
import type { Agent } from "../../../../runtime/api/objects.ts";
import { agentObjects } from "../../../../runtime/controller/objects/agent-objects.ts";
import type { WorkloadSettings } from "../../../../runtime/controller/objects/workload-settings.ts";
import { arbitraryAgentConfig } from "../../../support/arbitrary-agent-config.ts";
import {
  at,
  cardOf,
  configOf,
  declarative,
  JWKS,
  ofKind,
  SETTINGS,
  storedAgent,
  textsOf,
} from "./workload-inputs.ts";

function made(
  agent: Agent,
  settings: Partial<WorkloadSettings> = {},
  config: AgentConfig = configOf(agent),
): readonly KubeObject[] {
  const input = { agent, config, card: cardOf(config), jwks: JWKS };
  const objects = agentObjects({ ...input, settings: { ...SETTINGS, ...settings } });
  assert.ok(objects.ok, JSON.stringify(objects));
  return objects.value;
}

function problems(agent: Agent): readonly string[] {
  const config = configOf(agent);
  const objects = agentObjects({ agent, config, card: {}, settings: SETTINGS });
  return objects.ok ? [] : objects.violations.map(({ path, message }) => `${path}: ${message}`);
}

const deploymentOf = (agent: Agent, settings: Partial<WorkloadSettings> = {}) =>
  ofKind(made(agent, settings), "Deployment");
const podOf = (agent: Agent, settings: Partial<WorkloadSettings> = {}) =>
  at(deploymentOf(agent, settings), "spec.template.spec") as Readonly<Record<string, unknown>>;
const containerOf = (agent: Agent, settings: Partial<WorkloadSettings> = {}) =>
  at(podOf(agent, settings), "containers.0") as Readonly<Record<string, unknown>>;
const byo = (deployment: object, more: object = {}) =>
  storedAgent({ type: "BYO", description: "Own.", byo: { deployment }, ...more });

const LABELS = {
  app: "kagent",
  kagent: "my-agent",
  "app.kubernetes.io/name": "my-agent",
  "app.kubernetes.io/managed-by": "kagent",
  "app.kubernetes.io/part-of": "kagent",
};
const SELECTOR = { app: "kagent", kagent: "my-agent" };
const METADATA = {
  name: "my-agent",
  namespace: "team",
  labels: LABELS,
  ownerReferences: [
    {
      apiVersion: "kagent.dev/v1alpha2",
      kind: "Agent",
      name: "my-agent",
      uid: "u-1",
      controller: true,
      blockOwnerDeletion: true,
    },
  ],
};
const POD_SECURITY = {
  runAsNonRoot: true,
  runAsUser: 65_532,
  runAsGroup: 65_532,
  seccompProfile: { type: "RuntimeDefault" },
};
const CONTAINER_SECURITY = {
  allowPrivilegeEscalation: false,
  capabilities: { drop: ["ALL"] },
  readOnlyRootFilesystem: true,
};
const TOKEN = {
  name: "kagent-token",
  projected: {
    sources: [
      {
        serviceAccountToken: { audience: "kagent", expirationSeconds: 3600, path: "kagent-token" },
      },
    ],
  },
};
/** sha256 of nothing: no pod of ours has anything that needs a restart. */
const EMPTY_HASH = "16406829232824261652";

describe("runtime/controller/objects/agent-objects", () => {
  it("makes Secret, ServiceAccount, Deployment and Service of a Declarative Agent, field by field", () => {
    const agent = declarative();
    const [secret, account, deployment, service, ...more] = made(agent);
    assert.deepEqual(more, []);
    assert.deepEqual(Object.keys(textsOf(secret as KubeObject)), [
      "config.json",
      "agent-card.json",
      "runtime.json",
      "jwks.json",
    ]);
    const { data: _, ...rest } = secret as KubeObject;
    const { annotations, ...metadata } = rest.metadata;
    assert.deepEqual(
      { ...rest, metadata },
      { apiVersion: "v1", kind: "Secret", metadata: METADATA, type: "Opaque" },
    );
    assert.match(annotations?.["kagent.dev/config-hash"] ?? "", /^\d{15,20}$/);
    assert.deepEqual(account, { apiVersion: "v1", kind: "ServiceAccount", metadata: METADATA });
    assert.deepEqual(deployment, {
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: METADATA,
      spec: {
        strategy: { type: "RollingUpdate", rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
        selector: { matchLabels: SELECTOR },
        template: {
          metadata: { labels: LABELS, annotations: { "kagent.dev/config-hash": EMPTY_HASH } },
          spec: {
            serviceAccountName: "my-agent",
            automountServiceAccountToken: false,
            securityContext: POD_SECURITY,
            containers: [
              {
                name: "kagent",
                image: "node:24-slim",
                command: ["node", "/app/main.mjs", "worker"],
                args: ["--host", "0.0.0.0", "--port", "8080", "--filepath", "/config"],
                ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
                resources: {
                  requests: { cpu: "100m", memory: "384Mi" },
                  limits: { cpu: "2", memory: "1Gi" },
                },
                env: [
                  {
                    name: "KAGENT_NAMESPACE",
                    valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } },
                  },
                  { name: "KAGENT_NAME", value: "my-agent" },
                  { name: "KAGENT_URL", value: "http://kagent-controller.kagent:8083" },
                ],
                readinessProbe: {
                  httpGet: { path: "/.well-known/agent-card.json", port: "http" },
                  initialDelaySeconds: 1,
                  timeoutSeconds: 5,
                  periodSeconds: 1,
                },
                securityContext: CONTAINER_SECURITY,
                volumeMounts: [
                  { name: "config", mountPath: "/config", readOnly: true },
                  { name: "kagent-token", mountPath: "/var/run/secrets/tokens", readOnly: true },
                  { name: "kagent-tmp", mountPath: "/tmp" },
                  { name: "kagent-bundle", mountPath: "/app", readOnly: true },
                ],
              },
            ],
            volumes: [
              { name: "config", secret: { secretName: "my-agent" } },
              TOKEN,
              { name: "kagent-tmp", emptyDir: {} },
              {
                name: "kagent-bundle",
                configMap: { name: "kagent-worker-0a1b2c3d4e", defaultMode: 0o444 },
              },
            ],
          },
        },
      },
    });
    assert.deepEqual(service, {
      apiVersion: "v1",
      kind: "Service",
      metadata: METADATA,
      spec: {
        type: "ClusterIP",
        selector: SELECTOR,
        ports: [{ name: "http", port: 8080, protocol: "TCP", targetPort: 8080 }],
      },
    });
  });

  it("makes the objects of a BYO Agent, field by field", () => {
    const agent = byo(
      { image: "example.com/own:1", cmd: "serve", args: ["-v"], workingDir: "/srv", replicas: 2 },
      { sandbox: { network: { allowedDomains: ["a.example"] } } },
    );
    const objects = agentObjects({ agent, card: { name: "own" }, settings: SETTINGS });
    assert.ok(objects.ok);
    const [secret, account, deployment, service] = objects.value;
    assert.deepEqual(textsOf(secret as KubeObject), {
      "config.json": '{"model":null,"description":"Own.","instruction":""}',
      "agent-card.json": '{"name":"own"}',
      "srt-settings.json":
        '{"filesystem":{"allowWrite":[".","/tmp"],"denyRead":[],"denyWrite":[]},"network":{"allowedDomains":["a.example"],"deniedDomains":[]}}',
    });
    assert.equal(account?.kind, "ServiceAccount");
    assert.equal(at(deployment, "spec.replicas"), 2);
    const template = at(deployment, "spec.template") as KubeObject;
    assert.notEqual(template.metadata.annotations?.["kagent.dev/config-hash"], EMPTY_HASH);
    assert.deepEqual(template["spec"], {
      serviceAccountName: "my-agent",
      automountServiceAccountToken: false,
      securityContext: POD_SECURITY,
      containers: [
        {
          name: "kagent",
          image: "example.com/own:1",
          command: ["serve"],
          args: ["-v"],
          workingDir: "/srv",
          ports: [{ name: "http", containerPort: 8080, protocol: "TCP" }],
          resources: {
            requests: { cpu: "100m", memory: "384Mi" },
            limits: { cpu: "2", memory: "1Gi" },
          },
          env: [
            {
              name: "KAGENT_NAMESPACE",
              valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } },
            },
            { name: "KAGENT_NAME", value: "my-agent" },
            { name: "KAGENT_URL", value: "http://kagent-controller.kagent:8083" },
            { name: "KAGENT_SRT_SETTINGS_PATH", value: "/config/srt-settings.json" },
          ],
          readinessProbe: {
            httpGet: { path: "/.well-known/agent-card.json", port: "http" },
            initialDelaySeconds: 15,
            timeoutSeconds: 15,
            periodSeconds: 15,
          },
          securityContext: CONTAINER_SECURITY,
          volumeMounts: [
            { name: "config", mountPath: "/config", readOnly: true },
            { name: "kagent-token", mountPath: "/var/run/secrets/tokens", readOnly: true },
            { name: "kagent-tmp", mountPath: "/tmp" },
          ],
        },
      ],
      volumes: [
        { name: "config", secret: { secretName: "my-agent" } },
        TOKEN,
        { name: "kagent-tmp", emptyDir: {} },
      ],
    });
    assert.deepEqual(at(service, "spec.ports"), [
      {
        name: "http",
        port: 8080,
        protocol: "TCP",
        targetPort: 8080,
        appProtocol: "kgateway.dev/a2a",
      },
    ]);
  });

  it("takes every field of deployment from the Agent, in kagent's places", () => {
    const agent = declarative(
      {
        imageRegistry: "mirror.local/proxy",
        replicas: 0,
        imagePullSecrets: [{ name: "pull" }],
        volumes: [{ name: "data", emptyDir: {} }],
        volumeMounts: [{ name: "data", mountPath: "/data" }],
        labels: { team: "a", "app.kubernetes.io/name": "other" },
        annotations: { note: "pod" },
        env: [{ name: "A", value: "1" }],
        envFrom: [{ secretRef: { name: "env" } }],
        deploymentAnnotations: { note: "deployment" },
        imagePullPolicy: "Always",
        resources: { requests: { cpu: 1 } },
        tolerations: [{ operator: "Exists" }],
        affinity: { nodeAffinity: {} },
        nodeSelector: { disk: "ssd" },
        securityContext: { runAsUser: 1000, capabilities: { add: ["NET_BIND_SERVICE"] } },
        podSecurityContext: { fsGroup: 1000, seccompProfile: { type: "Unconfined" } },
        serviceAccountConfig: { labels: { sa: "l" }, annotations: { sa: "a" } },
        extraContainers: [{ name: "side", image: "s", securityContext: { runAsUser: 7 } }],
      },
      {},
      {
        annotations: {
          note: "agent",
          other: "x",
          "kubectl.kubernetes.io/last-applied-configuration": "{}",
        },
      },
    );
    const [secret, account, deployment, service] = made(agent, {
      podLabels: { team: "default", zone: "z" },
      nodeSelector: { disk: "hdd" },
    });
    const labels = { ...LABELS, "app.kubernetes.io/name": "other", team: "a", zone: "z" };
    for (const object of [secret, deployment, service])
      assert.deepEqual(object?.metadata.labels, labels);
    const accountMetadata = account?.metadata;
    assert.deepEqual(
      [accountMetadata?.labels, accountMetadata?.annotations],
      [
        { ...labels, sa: "l" },
        { note: "agent", other: "x", sa: "a" },
      ],
    );
    assert.deepEqual(service?.metadata.annotations, { note: "agent", other: "x" });
    assert.deepEqual(deployment?.metadata.annotations, { note: "deployment", other: "x" });
    assert.equal(at(deployment, "spec.replicas"), 0);
    assert.deepEqual(at(deployment, "spec.selector.matchLabels"), SELECTOR);
    assert.deepEqual(at(deployment, "spec.template.metadata"), {
      labels,
      annotations: { note: "pod", "kagent.dev/config-hash": EMPTY_HASH },
    });
    const { containers, volumes, ...pod } = at(deployment, "spec.template.spec") as {
      containers: readonly Readonly<Record<string, unknown>>[];
      volumes: readonly { name: string }[];
    };
    assert.deepEqual(pod, {
      serviceAccountName: "my-agent",
      automountServiceAccountToken: false,
      imagePullSecrets: [{ name: "pull" }],
      securityContext: { ...POD_SECURITY, seccompProfile: { type: "Unconfined" }, fsGroup: 1000 },
      tolerations: [{ operator: "Exists" }],
      affinity: { nodeAffinity: {} },
      nodeSelector: { disk: "ssd" },
    });
    const [own, side] = containers;
    assert.equal(own?.["image"], "mirror.local/proxy/node:24-slim");
    assert.equal(own["imagePullPolicy"], "Always");
    assert.deepEqual(own["resources"], { requests: { cpu: 1 } });
    assert.deepEqual(own["envFrom"], [{ secretRef: { name: "env" } }]);
    assert.deepEqual((own["env"] as readonly unknown[])[0], { name: "A", value: "1" });
    assert.deepEqual(own["securityContext"], {
      ...CONTAINER_SECURITY,
      runAsUser: 1000,
      capabilities: { drop: ["ALL"], add: ["NET_BIND_SERVICE"] },
    });
    assert.deepEqual(side, {
      name: "side",
      image: "s",
      securityContext: {
        allowPrivilegeEscalation: false,
        capabilities: { drop: ["ALL"] },
        runAsUser: 7,
      },
    });
    assert.deepEqual(
      volumes.map(({ name }) => name),
      ["config", "data", "kagent-token", "kagent-tmp", "kagent-bundle"],
    );
    assert.deepEqual(
      (own["volumeMounts"] as readonly { mountPath: string }[]).map(({ mountPath }) => mountPath),
      ["/config", "/data", "/var/run/secrets/tokens", "/tmp", "/app"],
    );
  });

  it("passes on what the controller is told, in kagent's order", () => {
    const env = containerOf(
      declarative({
        env: [
          { name: "OTEL_B", value: "own" },
          { name: "Z", value: "z" },
        ],
      }),
      {
        telemetry: { OTEL_B: "b", OTEL_A: "a" },
        uiUrl: "https://ui",
        imagePullPolicy: "IfNotPresent",
      },
    )["env"] as readonly { name: string; value?: string }[];
    assert.deepEqual(
      env.map(({ name, value }) => [name, value]),
      [
        ["Z", "z"],
        ["OTEL_A", "a"],
        ["OTEL_B", "b"],
        ["KAGENT_NAMESPACE", undefined],
        ["KAGENT_NAME", "my-agent"],
        ["KAGENT_URL", "http://kagent-controller.kagent:8083"],
        ["KAGENT_UI_URL", "https://ui"],
      ],
    );
  });

  it("runs an image that holds the program without a bundle", () => {
    const delivery = { kind: "image", image: "cr.kagent.dev/kagent/worker:1" } as const;
    const container = containerOf(declarative(), {
      delivery,
      bindHost: "::",
      imagePullPolicy: "Never",
    });
    assert.equal(container["image"], "cr.kagent.dev/kagent/worker:1");
    assert.equal(container["imagePullPolicy"], "Never");
    assert.deepEqual(container["command"], ["node", "/app/main.mjs", "worker"]);
    assert.deepEqual((container["args"] as readonly string[]).slice(0, 2), ["--host", "::"]);
    assert.doesNotMatch(
      JSON.stringify(podOf(declarative(), { delivery })),
      /kagent-bundle|configMap/,
    );
    const moved = containerOf(declarative({ imageRegistry: "m:5000" }), { delivery });
    assert.equal(moved["image"], "m:5000/kagent/worker:1");
  });

  for (const [what, deployment, settings, name, isMade] of [
    ["the Agent's own", {}, {}, "my-agent", true],
    ["the controller's default", {}, { serviceAccountName: "shared" }, "shared", false],
    [
      "the one the Agent names",
      { serviceAccountName: "given" },
      { serviceAccountName: "shared" },
      "given",
      false,
    ],
    ["the Agent's own by name", { serviceAccountName: "my-agent" }, {}, "my-agent", true],
  ] as const) {
    it(`runs as ${what}`, () => {
      const objects = made(declarative(deployment), settings);
      assert.equal(
        objects.some(({ kind }) => kind === "ServiceAccount"),
        isMade,
      );
      assert.equal(
        at(ofKind(objects, "Deployment"), "spec.template.spec.serviceAccountName"),
        name,
      );
    });
  }

  it("tells the gateway of agents that present skills", () => {
    const skilled = declarative(undefined, { a2aConfig: { skills: [{ name: "a" }] } });
    assert.equal(
      at(ofKind(made(skilled), "Service"), "spec.ports.0.appProtocol"),
      "kgateway.dev/a2a",
    );
  });

  it("waits as long as kagent for its slower runtime", () => {
    const probe = containerOf(declarative(undefined, { runtime: "python" }))["readinessProbe"];
    assert.equal(at(probe, "initialDelaySeconds"), 15);
  });

  it("has no temporary folder of its own where the user mounts one", () => {
    const deployment = {
      volumes: [{ name: "big", emptyDir: { sizeLimit: "9Gi" } }],
      volumeMounts: [{ name: "big", mountPath: "/tmp/" }],
    };
    assert.doesNotMatch(JSON.stringify(podOf(declarative(deployment))), /kagent-tmp/);
  });

  describe("lets the user loosen a pod", () => {
    const security = (securityContext: object, podSecurityContext: object = {}) => {
      const pod = podOf(declarative({ securityContext, podSecurityContext }));
      return [pod["securityContext"], at(pod, "containers.0.securityContext")];
    };
    const { runAsNonRoot: _, ...rooted } = POD_SECURITY;

    it("to root, in the container or the pod", () => {
      assert.deepEqual(security({ runAsUser: 0 }), [
        rooted,
        { ...CONTAINER_SECURITY, runAsUser: 0 },
      ]);
      assert.deepEqual(security({}, { runAsUser: 0 })[0], { ...rooted, runAsUser: 0 });
      assert.deepEqual(security({ runAsUser: 5 }, { runAsUser: 0 })[0], {
        ...POD_SECURITY,
        runAsUser: 0,
      });
    });

    it("to privileges, without a contradiction that the API server refuses", () => {
      const { allowPrivilegeEscalation: _escalation, ...open } = CONTAINER_SECURITY;
      assert.deepEqual(security({ privileged: true })[1], { ...open, privileged: true });
      const capabilities = { add: ["SYS_ADMIN"] };
      assert.deepEqual(security({ capabilities })[1], {
        ...open,
        capabilities: { drop: ["ALL"], ...capabilities },
      });
    });

    it("field by field, also by taking a default away", () => {
      assert.deepEqual(security({ readOnlyRootFilesystem: false, capabilities: { drop: [] } })[1], {
        allowPrivilegeEscalation: false,
        capabilities: { drop: [] },
        readOnlyRootFilesystem: false,
      });
      assert.equal(
        Object.hasOwn(security({}, { runAsUser: null })[0] as object, "runAsUser"),
        false,
      );
    });
  });

  for (const [what, agent, expected] of [
    ["a BYO Agent without image", byo({}), ["spec.byo.deployment.image: is required for type BYO"]],
    [
      "a BYO Agent without deployment",
      storedAgent({ type: "BYO", byo: {} }),
      ["spec.byo.deployment.image: is required for type BYO"],
    ],
    [
      "containers of the platform's name or of one name",
      declarative({ extraContainers: [{ name: "kagent" }, { name: "a" }, { name: "a" }] }),
      [
        'spec.declarative.deployment.extraContainers[0].name: "kagent" is the container of the Agent itself',
        "spec.declarative.deployment.extraContainers[2].name: has the name of a container before it",
      ],
    ],
    [
      "volumes of the platform's names",
      byo({ image: "i", volumes: [{ name: "a" }, { name: "kagent-token" }] }),
      ['spec.byo.deployment.volumes[1].name: "kagent-token" is a volume of the platform'],
    ],
    [
      "the platform's labels",
      declarative({ labels: { app: "x", kagent: "y" } }),
      [
        "spec.declarative.deployment.labels.app: is the label by which the platform finds the pods",
        "spec.declarative.deployment.labels.kagent: is the label by which the platform finds the pods",
      ],
    ],
    [
      "a name that no Service can have",
      declarative(undefined, {}, { name: "1.a" }),
      [
        "metadata.name: must be at most 63 lower-case letters, digits and -, and begin with a letter: the Agent's Service has this name",
      ],
    ],
  ] as const) {
    it(`refuses ${what}`, () => {
      assert.deepEqual(problems(agent), expected);
    });
  }

  it("refuses a configuration that no Secret holds", () => {
    const agent = declarative();
    const config = configOf(agent, { instruction: "x".repeat(950_000) });
    const objects = agentObjects({ agent, config, card: {}, settings: SETTINGS });
    assert.ok(!objects.ok);
    assert.match(
      objects.violations[0]?.message ?? "",
      /^the configuration has 95\d{4} bytes, at most 921600/,
    );
  });

  it("keeps the Deployment as it is when only configuration changes, secrets included", () => {
    fc.assert(
      fc.property(arbitraryAgentConfig, arbitraryAgentConfig, (first, second) => {
        const agent = declarative();
        const [one, other] = [made(agent, {}, first), made(agent, {}, second)];
        assert.equal(JSON.stringify(one.slice(1)), JSON.stringify(other.slice(1)));
      }),
      { numRuns: 30 },
    );
  });

  it("makes the same bytes each time, and a Secret that the worker reads back", () => {
    fc.assert(
      fc.property(arbitraryAgentConfig, (config) => {
        const agent = declarative();
        const objects = made(agent, {}, config);
        assert.equal(JSON.stringify(made(agent, {}, config)), JSON.stringify(objects));
        const texts = textsOf(ofKind(objects, "Secret"));
        assert.deepEqual(readAgentFiles(texts, config.ref), { ok: true, value: config });
        assert.deepEqual(JSON.parse(texts["jwks.json"] ?? ""), JWKS);
      }),
      { numRuns: 50 },
    );
  });

  it("gives the Secret a hash of all its files", () => {
    const agent = declarative();
    const hashOf = (over: Partial<AgentConfig>, jwks: object = JWKS) => {
      const config = configOf(agent, over);
      const objects = agentObjects({
        agent,
        config,
        card: cardOf(config),
        jwks,
        settings: SETTINGS,
      });
      assert.ok(objects.ok);
      return ofKind(objects.value, "Secret").metadata.annotations?.["kagent.dev/config-hash"];
    };
    const model = { ...agentModel, apiKey: "a" };
    const hashes = [
      hashOf({}),
      hashOf({ instruction: "Other." }),
      hashOf({ version: "2" }),
      hashOf({ envelope: "render" }),
      hashOf({ model }),
      hashOf({ model: { ...model, apiKey: "b" } }),
      hashOf({}, { keys: [] }),
    ];
    assert.equal(new Set(hashes).size, hashes.length);
    assert.equal(hashOf({}), hashes[0]);
  });

  it("belongs to nobody before a cluster has stored the Agent", () => {
    const agent = declarative(undefined, {}, { uid: undefined });
    for (const { metadata } of made(agent)) assert.equal(metadata["ownerReferences"], undefined);
  });

  it("wants the configuration of an Agent that the worker runs", () => {
    assert.throws(
      () => agentObjects({ agent: declarative(), card: {}, settings: SETTINGS }),
      TypeError,
    );
  });
});

const agentModel = { ref: { namespace: "team", name: "m" }, provider: "OpenAI", model: "m" };
