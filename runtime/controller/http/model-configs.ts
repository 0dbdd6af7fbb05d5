import { type Context, Hono } from "hono";
import * as z from "zod";
import { RESOURCES, type StoredObject } from "../../api/cluster.ts";
import { API_VERSION, type ObjectRef, refKey } from "../../api/names.ts";
import { ObjectName } from "../../api/object-meta.ts";
import type { ModelConfig } from "../../api/objects.ts";
import { refOf as refOfObject } from "../../api/rules/object-set.ts";
import { ApiError, bodyOf, missing, ok, RefText, refOf } from "./answers.ts";
import type { ClusterAccess, HttpApiDeps } from "./http-api-deps.ts";
import { admitted } from "./object-rules.ts";
import { clusterSignal, remove, replace, writable } from "./writing.ts";

/** 64 KiB of one secret value: a service account's JSON has 3. */
const MAX_SECRET = 65_536;

/** Who owns the fields of Secrets that come by the API. */
const FIELD_MANAGER = "kagent-api";

const SecretValue = z.object({
  name: ObjectName,
  key: z
    .string()
    .max(253)
    .regex(/^[-._A-Za-z0-9]+$/, "must be a key of a Secret"),
  value: z.string().min(1).max(MAX_SECRET),
});
const Body = z.object({
  apiKey: z.string().max(MAX_SECRET).optional(),
  secrets: z.array(SecretValue).max(20).optional(),
  spec: z.looseObject({ provider: z.string().max(64).optional() }),
});
const NewBody = Body.extend({ ref: RefText });
type Body = z.output<typeof Body>;

/** `/api/modelconfigs`: models; their keys go into Secrets and never come back (kagent-api section 3.5). */
export function modelConfigRoutes(deps: HttpApiDeps): Hono {
  const { directory } = deps;
  const app = new Hono();
  app.get("/api/modelconfigs", (c) => ok(c, directory.models().map(modelView)));
  app.get("/api/modelconfigs/:namespace/:name", (c) => {
    const ref = refOf(c);
    const found = directory.models().find((model) => refKey(refOfObject(model)) === refKey(ref));
    if (found === undefined) throw missing(`ModelConfig ${refKey(ref)}`);
    return ok(c, modelView(found));
  });
  app.post("/api/modelconfigs", async (c) => {
    const access = writable(deps, c);
    const body = await bodyOf(c, NewBody);
    const { namespace = access.namespace, name } = body.ref;
    const object = modelObject({ namespace, name }, body);
    const { written, parsed } = admitted("ModelConfig", object, directory, access);
    const signal = clusterSignal(c);
    const secrets = secretsOf(name, body);
    await checkSecrets(access, { namespace, uid: undefined }, secrets, signal);
    const created = await access.cluster.create(RESOURCES.ModelConfig, written, signal);
    await keepSecrets(access, created, secrets, signal);
    return ok(c, modelView(parsed), 201);
  });
  app.put("/api/modelconfigs/:namespace/:name", (c) => changeModel(deps, c));
  app.delete("/api/modelconfigs/:namespace/:name", async (c) => {
    const access = writable(deps, c);
    await remove(access, RESOURCES.ModelConfig, refOf(c), clusterSignal(c));
    return ok(c, {});
  });
  return app;
}

async function changeModel(deps: HttpApiDeps, c: Context): Promise<Response> {
  const access = writable(deps, c);
  const ref = refOf(c);
  const body = await bodyOf(c, Body);
  const before = deps.directory
    .models()
    .find((model) => refKey(refOfObject(model)) === refKey(ref));
  const object = modelObject(ref, { ...body, spec: withHidden(body.spec, before) });
  const { written, parsed } = admitted("ModelConfig", object, deps.directory, access);
  const signal = clusterSignal(c);
  const target = { type: RESOURCES.ModelConfig, ref };
  const secrets = secretsOf(ref.name, body);
  const owner = await access.cluster.get(RESOURCES.ModelConfig, ref, signal);
  const known = { namespace: ref.namespace, uid: owner?.metadata.uid };
  await checkSecrets(access, known, secrets, signal);
  const change = (current: StoredObject) => ({ ...current, spec: written["spec"] });
  const changed = await replace(access, target, change, signal);
  await keepSecrets(access, changed, secrets, signal);
  return ok(c, modelView(parsed));
}

/** A ModelConfig with the reference to the key that comes beside it. */
function modelObject(ref: ObjectRef, { apiKey, spec }: Body): object {
  const hasKey = apiKey !== undefined && apiKey !== "";
  const key = hasKey ? { apiKeySecret: ref.name, apiKeySecretKey: keyName(spec.provider) } : {};
  return { apiVersion: API_VERSION, kind: "ModelConfig", metadata: ref, spec: { ...spec, ...key } };
}

/** Every value of a request by its place. */
function secretsOf(name: string, { apiKey, secrets = [], spec }: Body): SecretValues {
  const values = new Map<string, Record<string, string>>();
  const add = (secret: string, key: string, value: string): void => {
    values.set(secret, { ...values.get(secret), [key]: value });
  };
  if (apiKey !== undefined && apiKey !== "") add(name, keyName(spec.provider), apiKey);
  for (const { name: secret, key, value } of secrets) add(secret, key, value);
  return values;
}

/** Key under which kagent keeps the API key of a provider. */
function keyName(provider = "OpenAI"): string {
  return `${provider.toUpperCase()}_API_KEY`;
}

/** Values by Secret and key. */
type SecretValues = ReadonlyMap<string, Readonly<Record<string, string>>>;

/**
 * Makes sure that the Secrets are the model's own, or not there yet.
 *
 * @throws ApiError 409 for one that is somebody else's: whoever may name a model must not overwrite it.
 */
async function checkSecrets(
  { cluster }: ClusterAccess,
  owner: { readonly namespace: string; readonly uid: string | undefined },
  secrets: SecretValues,
  signal: AbortSignal,
): Promise<void> {
  const { namespace, uid } = owner;
  for (const name of secrets.keys()) {
    const found = await cluster.get(RESOURCES.Secret, { namespace, name }, signal);
    if (found === undefined) continue;
    const owners = found.metadata.ownerReferences ?? [];
    if (uid !== undefined && owners.some((one) => one.uid === uid)) continue;
    throw new ApiError(
      409,
      `Secret ${namespace}/${name} is not this model's; name another one, or refer to it by apiKeySecret`,
    );
  }
}

/** Writes Secrets that go with their ModelConfig; {@link checkSecrets} has been asked about them. */
async function keepSecrets(
  { cluster }: ClusterAccess,
  owner: StoredObject,
  secrets: SecretValues,
  signal: AbortSignal,
): Promise<void> {
  const { namespace = "", name: ownerName, uid } = owner.metadata;
  const reference = { apiVersion: API_VERSION, kind: "ModelConfig", name: ownerName, uid };
  for (const [name, values] of secrets) {
    const entries = Object.entries(values).map(([key, value]) => [
      key,
      Buffer.from(value).toString("base64"),
    ]);
    const object = {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { namespace, name, ownerReferences: [reference] },
      type: "Opaque",
      data: Object.fromEntries(entries) as Readonly<Record<string, string>>,
    };
    await cluster.apply(RESOURCES.Secret, object, { fieldManager: FIELD_MANAGER }, signal);
  }
}

/** A ModelConfig without the token that kagent's CRD has a field for. */
/** What stands in the place of a header's value: people write keys there, and everybody may read models. */
const HIDDEN = "***";

function modelView(model: ModelConfig): object {
  const { spec, status } = model;
  const { azureOpenAI, defaultHeaders } = spec;
  const names = Object.keys(defaultHeaders ?? {});
  const shown = {
    ...spec,
    ...(azureOpenAI?.azureAdToken === undefined
      ? {}
      : { azureOpenAI: { ...azureOpenAI, azureAdToken: undefined } }),
    ...(defaultHeaders === undefined
      ? {}
      : { defaultHeaders: Object.fromEntries(names.map((name) => [name, HIDDEN])) }),
  };
  return { ref: refKey(refOfObject(model)), spec: shown, status };
}

/** A spec that came back without what {@link modelView} hides: it stays as it was. */
function withHidden(spec: Body["spec"], before: ModelConfig | undefined): Body["spec"] {
  const hidden = before?.spec.azureOpenAI?.azureAdToken;
  const { azureOpenAI: sent, defaultHeaders: headers } = spec;
  const known = before?.spec.defaultHeaders ?? {};
  return {
    ...spec,
    ...(hidden === undefined || typeof sent !== "object" || sent === null
      ? {}
      : { azureOpenAI: { azureAdToken: hidden, ...sent } }),
    ...(typeof headers !== "object" || headers === null
      ? {}
      : { defaultHeaders: withKnown(headers, known) }),
  };
}

function withKnown(headers: object, known: Readonly<Record<string, string>>): object {
  const entries = Object.entries(headers).map(([name, value]: [string, unknown]) => [
    name,
    value === HIDDEN && Object.hasOwn(known, name) ? known[name] : value,
  ]);
  return Object.fromEntries(entries) as object;
}
