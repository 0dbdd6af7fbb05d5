import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { pooledFiles } from "../../../../runtime/api/agent-files/names.ts";
import { readAgentFiles } from "../../../../runtime/api/agent-files.ts";
import type { KubeObject } from "../../../../runtime/api/cluster-reader.ts";
import {
  type PooledAgent,
  type PoolObjectsInput,
  poolObjects,
} from "../../../../runtime/controller/objects/pool-objects.ts";
import {
  at,
  cardOf,
  configOf,
  declarative,
  JWKS,
  ofKind,
  SETTINGS,
  textsOf,
} from "./workload-inputs.ts";

function pooled(name: string, more: { instruction?: string; created?: string } = {}): PooledAgent {
  const { created: creationTimestamp, ...over } = more;
  const agent = declarative(undefined, {}, { name, creationTimestamp });
  const config = configOf(agent, over);
  return { agent, config, card: cardOf(config) };
}

const pool = (agents: readonly PooledAgent[], more: Partial<PoolObjectsInput> = {}) =>
  poolObjects({ namespace: "team", agents, jwks: JWKS, settings: SETTINGS, ...more });

const secretsOf = (objects: readonly KubeObject[]) =>
  objects.filter(({ kind }) => kind === "Secret");
const filesOf = (objects: readonly KubeObject[]) =>
  Object.assign({}, ...secretsOf(objects).map(textsOf)) as Readonly<Record<string, string>>;
const bytesOf = (secret: KubeObject) =>
  Object.entries(textsOf(secret)).reduce((sum, pair) => sum + Buffer.byteLength(pair.join("")), 0);

const LABELS = {
  app: "kagent",
  kagent: "kagent-workers",
  "app.kubernetes.io/name": "kagent-workers",
  "app.kubernetes.io/managed-by": "kagent",
  "app.kubernetes.io/part-of": "kagent",
};
const METADATA = { name: "kagent-workers", namespace: "team", labels: LABELS };

describe("runtime/controller/objects/pool-objects", () => {
  it("makes Secrets, ServiceAccount, Deployment and Service, field by field", () => {
    const { objects, refused } = pool([pooled("a")], { shards: 2 });
    assert.equal(refused.size, 0);
    const [first, second, account, deployment, service, ...more] = objects;
    assert.deepEqual(more, []);
    for (const [index, secret] of [first, second].entries()) {
      const { annotations: _, ...metadata } = (secret as KubeObject).metadata;
      assert.deepEqual(metadata, { ...METADATA, name: `kagent-workers-${index}` });
    }
    const keys = Object.keys(filesOf(objects)).sort();
    assert.deepEqual(keys, ["a.agent-card.json", "a.config.json", "a.runtime.json", "jwks.json"]);
    assert.deepEqual(account, { apiVersion: "v1", kind: "ServiceAccount", metadata: METADATA });
    const selector = { app: "kagent", kagent: "kagent-workers" };
    assert.deepEqual(at(deployment, "metadata"), METADATA);
    assert.equal(at(deployment, "spec.replicas"), 2);
    assert.deepEqual(at(deployment, "spec.selector.matchLabels"), selector);
    const pod = at(deployment, "spec.template.spec");
    assert.equal(at(pod, "serviceAccountName"), "kagent-workers");
    assert.equal(at(pod, "automountServiceAccountToken"), false);
    assert.deepEqual(at(pod, "securityContext"), {
      runAsNonRoot: true,
      runAsUser: 65_532,
      runAsGroup: 65_532,
      seccompProfile: { type: "RuntimeDefault" },
    });
    assert.deepEqual(at(pod, "volumes.0"), {
      name: "config",
      projected: {
        sources: [
          { secret: { name: "kagent-workers-0" } },
          { secret: { name: "kagent-workers-1" } },
        ],
      },
    });
    const container = at(pod, "containers.0");
    assert.deepEqual(at(container, "command"), ["node", "/app/main.mjs", "worker"]);
    assert.deepEqual(at(container, "args"), [
      "--host",
      "0.0.0.0",
      "--port",
      "8080",
      "--filepath",
      "/config",
    ]);
    assert.deepEqual(at(container, "readinessProbe"), {
      httpGet: { path: "/health", port: "http" },
      initialDelaySeconds: 1,
      timeoutSeconds: 5,
      periodSeconds: 1,
    });
    assert.deepEqual(
      (at(container, "env") as readonly { name: string }[]).map(({ name }) => name),
      ["KAGENT_NAMESPACE", "KAGENT_URL"],
    );
    assert.deepEqual(service, {
      apiVersion: "v1",
      kind: "Service",
      metadata: METADATA,
      spec: {
        type: "ClusterIP",
        selector,
        ports: [{ name: "http", port: 8080, protocol: "TCP", targetPort: 8080 }],
      },
    });
  });

  it("gives every Agent to the worker, whatever their names and order", () => {
    const name = fc.stringMatching(/^[a-z]([-a-z0-9]{0,6}[a-z0-9])?(\.(config|runtime)\.json)?$/);
    fc.assert(
      fc.property(
        fc.uniqueArray(name, { maxLength: 8 }),
        fc.integer({ min: 1, max: 5 }),
        (names, shards) => {
          const agents = names.map((each) => pooled(each));
          const { objects } = pool(agents, { shards });
          assert.equal(
            JSON.stringify(pool(agents.toReversed(), { shards }).objects),
            JSON.stringify(objects),
          );
          const read = pooledFiles(filesOf(objects), "team").map(({ ref, files }) => {
            const config = readAgentFiles(files, ref);
            assert.ok(config.ok, JSON.stringify(config));
            return config.value;
          });
          const byName = agents
            .map(({ config }) => config)
            .sort((a, b) => (a.ref.name < b.ref.name ? -1 : 1));
          assert.deepEqual(read, byName);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("touches one Secret when one Agent comes, goes or changes, and nothing else", () => {
    const agents = Array.from({ length: 50 }, (_, index) => pooled(`agent-${index}`));
    const before = pool(agents).objects;
    for (const after of [
      pool([...agents, pooled("one-more")]).objects,
      pool(agents.slice(1)).objects,
      pool([...agents.slice(1), pooled("agent-0", { instruction: "Other." })]).objects,
    ]) {
      const changed = after.filter(
        (object, index) => JSON.stringify(object) !== JSON.stringify(before[index]),
      );
      assert.deepEqual(
        changed.map(({ kind }) => kind),
        ["Secret"],
      );
      assert.notEqual(
        changed[0]?.metadata.annotations?.["kagent.dev/config-hash"],
        before.find(({ metadata }) => metadata.name === changed[0]?.metadata.name)?.metadata
          .annotations?.["kagent.dev/config-hash"],
      );
    }
  });

  it("holds 1,000 agents of 8 KB, each Secret below 900 KiB", function () {
    this.timeout(20_000);
    const instruction = "x".repeat(8_000);
    const agents = Array.from({ length: 1_000 }, (_, index) =>
      pooled(`agent-${index}`, { instruction }),
    );
    const { objects, refused } = pool(agents);
    assert.equal(refused.size, 0);
    const sizes = secretsOf(objects).map(bytesOf);
    assert.equal(sizes.length, 16);
    assert.ok(Math.max(...sizes) < 900 * 1024, String(Math.max(...sizes)));
    assert.equal(pooledFiles(filesOf(objects), "team").length, 1_000);
  });

  it("keeps the oldest where a Secret is full, and names the others with a remedy", () => {
    const big = "x".repeat(400_000);
    const agents = ["c", "b", "a"].map((name, year) =>
      pooled(name, { instruction: big, created: `202${year}-01-01T00:00:00Z` }),
    );
    const { objects, refused } = pool(agents, { shards: 1 });
    assert.deepEqual(
      pooledFiles(filesOf(objects), "team").map(({ ref }) => ref.name),
      ["b", "c"],
    );
    assert.deepEqual([...refused.keys()], ["team/a"]);
    assert.deepEqual(refused.get("team/a"), [
      {
        path: "spec.workers",
        message:
          'the Secret of the pool in which the Agent belongs is full: set spec.workers to "dedicated", or give the pool more Secrets',
      },
    ]);
    for (const secret of secretsOf(objects)) assert.ok(bytesOf(secret) < 900 * 1024);
  });

  it("refuses an Agent that fits nowhere, and serves the others", () => {
    const { objects, refused } = pool([
      pooled("huge", { instruction: "x".repeat(950_000) }),
      pooled(`a${"b".repeat(245)}`),
      pooled("small"),
    ]);
    assert.deepEqual(
      pooledFiles(filesOf(objects), "team").map(({ ref }) => ref.name),
      ["small"],
    );
    assert.match(
      refused.get("team/huge")?.[0]?.message ?? "",
      /^the configuration has 95\d{4} bytes/,
    );
    assert.equal(refused.get(`team/a${"b".repeat(245)}`)?.[0]?.path, "metadata.name");
  });

  it("follows the settings of the platform", () => {
    const { objects } = pool([], {
      replicas: 5,
      settings: {
        ...SETTINGS,
        serviceAccountName: "shared",
        podLabels: { zone: "z" },
        nodeSelector: { disk: "ssd" },
      },
    });
    assert.ok(!objects.some(({ kind }) => kind === "ServiceAccount"));
    const deployment = ofKind(objects, "Deployment");
    assert.equal(at(deployment, "spec.replicas"), 5);
    assert.equal(at(deployment, "spec.template.spec.serviceAccountName"), "shared");
    assert.deepEqual(at(deployment, "spec.template.spec.nodeSelector"), { disk: "ssd" });
    assert.equal(at(deployment, "spec.template.metadata.labels.zone"), "z");
  });
});
