import assert from "node:assert/strict";
import fc from "fast-check";
import { after, before, describe, it } from "mocha";
import { Agent as HttpAgent, request } from "undici";
import { z } from "zod";
import type { Violation } from "../../runtime/api/checked.ts";
import { customResourceDefinitions } from "../../runtime/api/crd.ts";
import { PLURALS } from "../../runtime/api/names.ts";
import { parseObject } from "../../runtime/api/objects.ts";
import { AGENT_CASES } from "../runtime/api/cases/agent-cases.ts";
import { arbitraryMistake, arbitraryObject } from "../runtime/api/cases/arbitrary-object.ts";
import { MODEL_CONFIG_CASES } from "../runtime/api/cases/model-config-cases.ts";
import { MODEL_PROVIDER_CONFIG_CASES } from "../runtime/api/cases/model-provider-config-cases.ts";
import type { ObjectCase } from "../runtime/api/cases/object-case.ts";
import { REMOTE_MCP_SERVER_CASES } from "../runtime/api/cases/remote-mcp-server-cases.ts";
import { type ApiAccess, ApiClient, type ClusterObject, readKubeconfig } from "./api-client.ts";
import { poll } from "./poll.ts";
import { useApiServer } from "./use-api-server.ts";

/** 60 s for one step against a server on a busy machine. */
const STEP_MS = 60_000;
const soon = (): AbortSignal => AbortSignal.timeout(STEP_MS);

/** 300 objects of a kind: about ten seconds. */
const RANDOM_OBJECTS = 300;
/** Any number: the same objects in each run, so that a failure can be looked at. */
const SEED = 20_260_101;
/**
 * What the server does not see: fields that the CRD leaves to zod and the webhook, and a list in place of
 * a string with a format, which its validator takes for bytes.
 */
function isOnlyOurs({ path, message }: Violation): boolean {
  return (
    /\.(onNoMatch\b.*|when)$/.test(path) || (/[uU]rl$/.test(path) && message.endsWith("is a list"))
  );
}

const crdSchema = z.object({
  metadata: z.object({ name: z.string() }),
  status: z.object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })) }),
});
const statusSchema = z.object({
  message: z.string(),
  details: z
    .object({
      causes: z
        .array(z.object({ field: z.string().optional(), message: z.string().optional() }))
        .optional(),
    })
    .optional(),
});
const storedSchema = z.object({ spec: z.unknown() });

/** What the API server says of an object: the spec as it would store it, or where it is wrong. */
type Verdict =
  | { readonly ok: true; readonly spec: unknown }
  | { readonly ok: false; readonly paths: readonly string[]; readonly message: string };

/** A dry run of a create, unknown fields refused as `kubectl` has it. */
class DryRun {
  readonly #access: ApiAccess;
  readonly #agent: HttpAgent;

  constructor(access: ApiAccess) {
    this.#access = access;
    this.#agent = new HttpAgent({ connect: { ca: access.authority } });
  }

  async create(object: ObjectCase["object"]): Promise<Verdict> {
    const plural = PLURALS[object["kind"] as keyof typeof PLURALS];
    const path = `/apis/kagent.dev/v1alpha2/namespaces/default/${plural}`;
    const { statusCode, body } = await request(
      `${this.#access.url}${path}?dryRun=All&fieldValidation=Strict`,
      {
        method: "POST",
        dispatcher: this.#agent,
        headers: {
          authorization: `Bearer ${this.#access.token}`,
          "content-type": "application/json",
        },
        body: JSON.stringify(object),
        signal: soon(),
      },
    );
    const answer = await body.json();
    if (statusCode === 201) return { ok: true, spec: storedSchema.parse(answer).spec };
    assert.ok(statusCode === 400 || statusCode === 422, JSON.stringify(answer));
    const { message, details } = statusSchema.parse(answer);
    const unknown = [...message.matchAll(/unknown field "([^"]+)"/g)].map(([, path = ""]) => path);
    // `<nil>`: rules were left out because of the other causes.
    const causes = (details?.causes ?? []).flatMap(({ field = "" }) =>
      field === "<nil>" ? [] : [field],
    );
    return { ok: false, paths: [...unknown, ...causes], message };
  }

  close(): Promise<void> {
    return this.#agent.close();
  }
}

describe("runtime/api/crd on a Kubernetes API server", () => {
  const cluster = useApiServer();
  let admin: ApiClient | undefined;
  let dryRun: DryRun | undefined;

  before(async function () {
    this.timeout(STEP_MS * 3);
    const access = await readKubeconfig(cluster().kubeconfigPath);
    const client = new ApiClient(access);
    admin = client;
    dryRun = new DryRun(access);
    for (const crd of customResourceDefinitions()) await client.apply(crd as ClusterObject, soon());
    await poll(async (signal) => ((await established(client, signal)) ? true : undefined), {
      what: "the CRDs established",
      timeoutMs: STEP_MS,
      signal: soon(),
    });
  });

  after(async () => {
    await dryRun?.close();
    await admin?.close();
  });

  for (const [kind, cases] of [
    ["Agent", AGENT_CASES],
    ["ModelConfig", MODEL_CONFIG_CASES],
    ["RemoteMCPServer", REMOTE_MCP_SERVER_CASES],
    ["ModelProviderConfig", MODEL_PROVIDER_CONFIG_CASES],
  ] as const) {
    describe(`a ${kind}: the server's verdict is ours`, () => {
      for (const { claim, object, paths, server } of cases) {
        it(claim, async () => {
          assert.ok(dryRun);
          const verdict = await dryRun.create(object);
          const expected = server ?? paths;
          if (verdict.ok) {
            assert.deepEqual([], expected, "the server takes it");
            if (server === undefined) assert.deepEqual(verdict.spec, specOf(object));
          } else {
            assert.deepEqual(sorted(verdict.paths), sorted(expected), verdict.message);
          }
        });
      }

      it("also on objects made at random, and on mistakes in them", async () => {
        assert.ok(dryRun);
        const random = fc.oneof(arbitraryObject(kind), arbitraryMistake(kind));
        for (const object of fc.sample(random, { numRuns: RANDOM_OBJECTS, seed: SEED })) {
          const wire = JSON.parse(JSON.stringify(object)) as ObjectCase["object"];
          const ours = parseObject(wire);
          // What only zod and the webhook know has cases of its own.
          if (!ours.ok && ours.violations.every(isOnlyOurs)) continue;
          const { ok } = await dryRun.create(wire);
          assert.equal(ok, ours.ok, `${JSON.stringify(wire)}\n${JSON.stringify(ours)}`);
        }
      });
    });
  }
});

async function established(client: ApiClient, signal: AbortSignal): Promise<boolean> {
  for (const { metadata } of customResourceDefinitions() as readonly ClusterObject[]) {
    const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${metadata.name}`;
    const { status } = crdSchema.parse(await client.get(path, signal));
    const bad = status.conditions.find(
      ({ type, status }) => type === "NonStructuralSchema" && status === "True",
    );
    assert.equal(bad, undefined, `${metadata.name} is not structural`);
    if (!status.conditions.some(({ type, status }) => type === "Established" && status === "True"))
      return false;
  }
  return true;
}

/** The spec as we work with it, in the form of the wire. */
function specOf(object: ObjectCase["object"]): unknown {
  const wire: unknown = JSON.parse(JSON.stringify(object));
  const parsed = parseObject(wire);
  assert.ok(parsed.ok);
  return JSON.parse(JSON.stringify(parsed.value.spec));
}

function sorted(paths: readonly string[]): readonly string[] {
  return [...paths].sort();
}
