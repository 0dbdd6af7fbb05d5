import { Hono } from "hono";
import * as z from "zod";
import { RESOURCES, type StoredObject } from "../../api/cluster.ts";
import { LABELS, type ObjectRef, refKey } from "../../api/names.ts";
import { NamespaceName, ObjectName } from "../../api/object-meta.ts";
import { bodyOf, missing, ok, refOf } from "./answers.ts";
import type { ClusterAccess, HttpApiDeps } from "./http-api-deps.ts";
import { checkNamespace, clusterSignal, readable, remove, replace, writable } from "./writing.ts";

/** 1 MiB: what a ConfigMap may hold. */
const MAX_TEXT = 1_048_576;
const SELECTOR = `${LABELS.promptLibrary}=true`;

/** Fragments by key, the key as ConfigMaps have it. */
const Data = z.record(
  z
    .string()
    .max(253)
    .regex(/^[-._A-Za-z0-9]+$/),
  z.string().max(MAX_TEXT),
);
const NewLibrary = z.object({
  namespace: NamespaceName.optional(),
  name: ObjectName,
  data: Data.default({}),
});
const Changes = z.object({ data: Data });

/** `/api/prompttemplates`: libraries of prompt fragments, kept in labelled ConfigMaps (kagent-api section 2.6). */
export function promptTemplateRoutes(deps: HttpApiDeps): Hono {
  const app = new Hono();
  app.get("/api/prompttemplates", async (c) => {
    const libraries = await listLibraries(
      readable(deps),
      c.req.query("namespace"),
      clusterSignal(c),
    );
    return ok(
      c,
      libraries.map((library) => {
        const keys = Object.keys(dataOf(library)).sort();
        return { ...refOfStored(library), keyCount: keys.length, keys };
      }),
    );
  });
  app.post("/api/prompttemplates", async (c) => {
    const access = writable(deps, c);
    const { namespace = access.namespace, name, data } = await bodyOf(c, NewLibrary);
    checkNamespace(access, namespace);
    const labels = { [LABELS.promptLibrary]: "true" };
    const metadata = { name, namespace, labels };
    const object = { apiVersion: "v1", kind: "ConfigMap", metadata, data };
    const created = await access.cluster.create(RESOURCES.ConfigMap, object, clusterSignal(c));
    return ok(c, libraryView(created), 201);
  });
  app.get("/api/prompttemplates/:namespace/:name", async (c) =>
    ok(c, libraryView(await library(readable(deps), refOf(c), clusterSignal(c)))),
  );
  app.put("/api/prompttemplates/:namespace/:name", async (c) => {
    const access = writable(deps, c);
    const ref = refOf(c);
    const signal = clusterSignal(c);
    await library(access, ref, signal);
    const { data } = await bodyOf(c, Changes);
    const target = { type: RESOURCES.ConfigMap, ref };
    const changed = await replace(access, target, (current) => ({ ...current, data }), signal);
    return ok(c, libraryView(changed));
  });
  app.delete("/api/prompttemplates/:namespace/:name", async (c) => {
    const access = writable(deps, c);
    const ref = refOf(c);
    const signal = clusterSignal(c);
    await library(access, ref, signal);
    await remove(access, RESOURCES.ConfigMap, ref, signal);
    return ok(c, {});
  });
  return app;
}

/** A ConfigMap that is a library; no other is anybody's business here. */
async function library(
  access: ClusterAccess,
  ref: ObjectRef,
  signal: AbortSignal,
): Promise<StoredObject> {
  const found = await access.cluster.get(RESOURCES.ConfigMap, ref, signal);
  if (found?.metadata.labels?.[LABELS.promptLibrary] === "true") return found;
  throw missing(`prompt library ${refKey(ref)}`);
}

async function listLibraries(
  { cluster, watched }: ClusterAccess,
  wanted: string | undefined,
  signal: AbortSignal,
): Promise<readonly StoredObject[]> {
  const namespaces =
    watched === "all" ? [wanted] : watched.filter((one) => one === (wanted ?? one));
  const lists = await Promise.all(
    namespaces.map((namespace) =>
      cluster.list(
        RESOURCES.ConfigMap,
        { labelSelector: SELECTOR, ...(namespace === undefined ? {} : { namespace }) },
        signal,
      ),
    ),
  );
  return lists.flatMap(({ items }) => items);
}

function refOfStored({ metadata }: StoredObject): ObjectRef {
  return { namespace: metadata.namespace ?? "", name: metadata.name };
}

function libraryView(object: StoredObject): object {
  return { ...refOfStored(object), data: dataOf(object) };
}

function dataOf(object: StoredObject): Readonly<Record<string, string>> {
  return Data.catch({}).parse(object["data"] ?? {});
}
