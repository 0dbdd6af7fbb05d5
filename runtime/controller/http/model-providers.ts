import { type Context, Hono } from "hono";
import * as z from "zod";
import { RESOURCES, type StoredObject } from "../../api/cluster.ts";
import { MODEL_PROVIDERS } from "../../api/model-config.ts";
import { PROVIDER_BLOCKS } from "../../api/model-providers.ts";
import { ObjectName } from "../../api/object-meta.ts";
import { ModelListError } from "../model-lister.ts";
import { ApiError, checked, missing, ok } from "./answers.ts";
import type { ClusterAccess, HttpApiDeps } from "./http-api-deps.ts";
import { clusterSignal, readable } from "./writing.ts";

/** A ModelProviderConfig, as far as it is shown; lenient, for it is what the server says. */
const Provider = z.looseObject({
  metadata: z.looseObject({ name: z.string(), namespace: z.string().catch("") }),
  spec: z.looseObject({
    type: z.string(),
    endpoint: z.string().catch("").default(""),
    secretRef: z.looseObject({ name: z.string() }).optional(),
  }),
  status: z
    .looseObject({ discoveredModels: z.array(z.string()).catch([]).default([]) })
    .catch({ discoveredModels: [] })
    .default({ discoveredModels: [] }),
});
type Provider = z.output<typeof Provider>;

/** Providers and the models they serve (kagent-api sections 1.4 and 3.5). */
export function modelProviderRoutes(deps: HttpApiDeps): Hono {
  const app = new Hono();
  app.get("/api/modelproviderconfigs/models", (c) => ok(c, SUPPORTED));
  app.get("/api/modelproviderconfigs/configured", async (c) => {
    const providers = await configured(readable(deps), clusterSignal(c));
    return ok(
      c,
      providers.map(({ metadata, spec }) => ({
        name: metadata.name,
        type: spec.type,
        endpoint: spec.endpoint,
      })),
    );
  });
  app.get("/api/modelproviderconfigs/configured/:name/models", (c) => modelsOf(deps, c));
  app.get("/api/models", async (c) => {
    const known = deps.directory.models().map(({ spec }) => [spec.provider, spec.model] as const);
    const found =
      deps.access === undefined
        ? []
        : (await configured(deps.access, clusterSignal(c))).flatMap(({ spec, status }) =>
            status.discoveredModels.map((model) => [spec.type, model] as const),
          );
    const byProvider = Map.groupBy([...known, ...found], ([provider]) => provider);
    const models = [...byProvider].map(([provider, pairs]) => {
      const names = [...new Set(pairs.map(([, model]) => model))].sort();
      return [provider, names.map((name) => ({ name, function_calling: true }))] as const;
    });
    return ok(c, Object.fromEntries(models));
  });
  return app;
}

/** Every provider with the settings a ModelConfig for it has. */
const SUPPORTED = MODEL_PROVIDERS.map((name) => {
  const field = Object.keys(PROVIDER_BLOCKS).find(
    (block) => block.toLowerCase() === name.toLowerCase(),
  ) as keyof typeof PROVIDER_BLOCKS;
  const schema = z.toJSONSchema(PROVIDER_BLOCKS[field], { io: "input", unrepresentable: "any" });
  const required = schema.required ?? [];
  const all = Object.keys(schema.properties ?? {});
  const optionalParams = all.filter((param) => !required.includes(param));
  return { name, type: name, requiredParams: required, optionalParams };
});

async function modelsOf(deps: HttpApiDeps, c: Context): Promise<Response> {
  const access = readable(deps);
  const name = checked(ObjectName, c.req.param("name"), "name");
  const signal = clusterSignal(c);
  const found = (await configured(access, signal)).find(({ metadata }) => metadata.name === name);
  if (found === undefined) throw missing(`ModelProviderConfig ${name}`);
  const models =
    c.req.query("refresh") === "true"
      ? await askedAgain(access, found, signal)
      : found.status.discoveredModels;
  return ok(c, { provider: name, models });
}

/** What the provider says now; the status of its object is the controller's to write. */
async function askedAgain(
  access: ClusterAccess,
  { metadata, spec }: Provider,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { namespace } = metadata;
  const { type, endpoint, secretRef } = spec;
  const secret =
    secretRef === undefined
      ? undefined
      : await access.cluster.get(RESOURCES.Secret, { namespace, name: secretRef.name }, signal);
  const apiKey = onlyValue(secret);
  try {
    return await access.models.list(
      {
        type,
        ...(endpoint === "" ? {} : { endpoint }),
        ...(apiKey === undefined ? {} : { apiKey }),
      },
      signal,
    );
  } catch (error) {
    if (error instanceof ModelListError) throw new ApiError(503, error.message, { cause: error });
    throw error;
  }
}

/** The Secret of a provider has exactly one key (kagent-api section 1.4). */
function onlyValue(secret: StoredObject | undefined): string | undefined {
  const data = z.record(z.string(), z.string()).safeParse(secret?.["data"]).data ?? {};
  const [value, ...more] = Object.values(data);
  return value === undefined || more.length > 0
    ? undefined
    : Buffer.from(value, "base64").toString("utf8").trim();
}

async function configured(
  { cluster, watched, namespace }: ClusterAccess,
  signal: AbortSignal,
): Promise<readonly Provider[]> {
  const selections = watched === "all" ? [{}] : watched.map((one) => ({ namespace: one }));
  const lists = await Promise.all(
    selections.map((selection) => cluster.list(RESOURCES.ModelProviderConfig, selection, signal)),
  );
  const all = lists
    .flatMap(({ items }) => items)
    .flatMap((item) => Provider.safeParse(item).data ?? []);
  // Names alone name them here: those of the platform's own namespace come first.
  return all.toSorted(
    (a, b) =>
      Number(b.metadata.namespace === namespace) - Number(a.metadata.namespace === namespace),
  );
}
