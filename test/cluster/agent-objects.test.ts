import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { z } from "zod";
import type { KubeObject } from "../../runtime/api/cluster-reader.ts";
import type { Agent } from "../../runtime/api/objects.ts";
import { agentObjects } from "../../runtime/controller/objects/agent-objects.ts";
import { bundleCopy } from "../../runtime/controller/objects/bundle-copy.ts";
import { poolObjects } from "../../runtime/controller/objects/pool-objects.ts";
import {
  cardOf,
  configOf,
  declarative,
  JWKS,
  ofKind,
  SETTINGS,
  storedAgent,
} from "../runtime/controller/objects/workload-inputs.ts";
import { ApiClient, readKubeconfig } from "./api-client.ts";
import { useApiServer } from "./use-api-server.ts";

/** 60 s for one step against a server on a busy machine. */
const STEP_MS = 60_000;
const soon = (): AbortSignal => AbortSignal.timeout(STEP_MS);

const versionSchema = z.object({ metadata: z.object({ resourceVersion: z.string() }) });

/** Admits only what keeps the restricted Pod Security Standard. */
const NAMESPACE = "team";
const RESTRICTED = { "pod-security.kubernetes.io/enforce": "restricted" };
/** No owner: the garbage collector is not there, and the Agent neither. */
const UNOWNED = { uid: undefined };

function objectsOf(agent: Agent): readonly KubeObject[] {
  const config = configOf(agent);
  const objects = agentObjects({
    agent,
    config,
    card: cardOf(config),
    jwks: JWKS,
    settings: SETTINGS,
  });
  assert.ok(objects.ok, JSON.stringify(objects));
  return objects.value;
}

function pool(): readonly KubeObject[] {
  const agent = declarative(undefined, {}, UNOWNED);
  const config = configOf(agent);
  const agents = [{ agent, config, card: cardOf(config) }];
  return poolObjects({ namespace: NAMESPACE, agents, jwks: JWKS, settings: SETTINGS }).objects;
}

const byo = (deployment: object) =>
  storedAgent(
    { type: "BYO", byo: { deployment: { image: "i:1", ...deployment } }, sandbox: {} },
    UNOWNED,
  );

describe("runtime/controller/objects on a Kubernetes API server", () => {
  const cluster = useApiServer();
  let client: ApiClient | undefined;

  before(async function () {
    this.timeout(STEP_MS);
    client = new ApiClient(await readKubeconfig(cluster().kubeconfigPath));
    const metadata = { name: NAMESPACE, labels: RESTRICTED };
    await client.apply({ apiVersion: "v1", kind: "Namespace", metadata }, soon());
  });

  after(() => client?.close());

  async function applied(objects: readonly KubeObject[]): Promise<readonly string[]> {
    assert.ok(client);
    const versions: string[] = [];
    for (const object of objects) {
      const stored = versionSchema.parse(await client.apply(object, soon()));
      versions.push(stored.metadata.resourceVersion);
    }
    return versions;
  }

  /** What the server says of one of the Deployment's pods. */
  async function admission(objects: readonly KubeObject[]): Promise<string> {
    assert.ok(client);
    await applied(objects);
    const { spec } = ofKind(objects, "Deployment") as unknown as {
      spec: { template: { metadata: object; spec: object } };
    };
    const metadata = { ...spec.template.metadata, generateName: "pod-" };
    const pod = { apiVersion: "v1", kind: "Pod", metadata, spec: spec.template.spec };
    try {
      await client.create(`/api/v1/namespaces/${NAMESPACE}/pods?dryRun=All`, pod, soon());
      return "admitted";
    } catch (error) {
      return String(error);
    }
  }

  for (const [what, objects] of [
    ["a Declarative Agent", () => objectsOf(declarative(undefined, {}, UNOWNED))],
    [
      "an Agent that adds a container and a capability",
      () =>
        objectsOf(
          declarative(
            {
              env: [{ name: "KAGENT_URL", value: "twice" }],
              extraContainers: [{ name: "side", image: "s:1" }],
              securityContext: { capabilities: { add: ["NET_BIND_SERVICE"] } },
            },
            {},
            UNOWNED,
          ),
        ),
    ],
    ["a BYO Agent", () => objectsOf(byo({ cmd: "serve", replicas: 1 }))],
    ["a pool", pool],
  ] as const) {
    it(`takes the objects of ${what}, and the same again without a change`, async function () {
      this.timeout(STEP_MS);
      const first = await applied(objects());
      assert.deepEqual(await applied(objects()), first);
    });

    it(`admits the pods of ${what} under the restricted standard`, async function () {
      this.timeout(STEP_MS);
      assert.equal(await admission(objects()), "admitted");
    });
  }

  it("refuses pods that their user has loosened", async function () {
    this.timeout(STEP_MS);
    const verdict = await admission(objectsOf(byo({ securityContext: { runAsUser: 0 } })));
    assert.match(verdict, /violates PodSecurity "restricted:latest": runAsNonRoot != true/);
  });

  it("takes the copy of a bundle", async function () {
    this.timeout(STEP_MS);
    const metadata = { name: "kagent-worker-0a1b2c3d4e" };
    const source = { apiVersion: "v1", kind: "ConfigMap", metadata, immutable: true };
    const copy = bundleCopy({ ...source, data: { "main.mjs": "1" } }, NAMESPACE);
    assert.ok(copy.ok);
    assert.deepEqual(await applied([copy.value]), await applied([copy.value]));
  });
});
