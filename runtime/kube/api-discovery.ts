import * as z from "zod";
import { type ApiCatalogue, type ApiResource, ClusterError } from "../api/cluster-reader.ts";

/**
 * Both groups of kinds in two requests since Kubernetes 1.27; older servers answer with the plain lists.
 *
 * @see https://kubernetes.io/docs/concepts/overview/kubernetes-api/#aggregated-discovery
 */
const DISCOVERY_ACCEPT = [
  "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList",
  "application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList",
  "application/json",
].join(",");

const Words = z.array(z.string()).nullish();

const AggregatedResource = z.object({
  resource: z.string(),
  responseKind: z.object({ kind: z.string() }).nullish(),
  scope: z.string(),
  singularResource: z.string().nullish(),
  verbs: Words,
  shortNames: Words,
  categories: Words,
});

const AggregatedList = z.object({
  kind: z.literal("APIGroupDiscoveryList"),
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string().nullish() }).nullish(),
      versions: z.array(
        z.object({
          version: z.string(),
          freshness: z.string().nullish(),
          resources: z.array(AggregatedResource).nullish(),
        }),
      ),
    }),
  ),
});
type AggregatedGroup = z.output<typeof AggregatedList>["items"][number];

const GroupList = z.object({
  kind: z.literal("APIGroupList"),
  groups: z.array(
    z.object({ name: z.string(), preferredVersion: z.object({ version: z.string() }).nullish() }),
  ),
});

const ResourceList = z.object({
  resources: z.array(
    z.object({
      name: z.string(),
      singularName: z.string().nullish(),
      namespaced: z.boolean(),
      kind: z.string(),
      verbs: Words,
      shortNames: Words,
      categories: Words,
    }),
  ),
});

/** One GET of the API server, parsed. */
export type GetJson = (path: string, accept: string, signal: AbortSignal) => Promise<unknown>;

/** Everything the server serves; a group that does not answer is named and left out. */
export async function discover(get: GetJson, signal: AbortSignal): Promise<ApiCatalogue> {
  const [core, groups] = await Promise.all([
    get("/api", DISCOVERY_ACCEPT, signal),
    get("/apis", DISCOVERY_ACCEPT, signal),
  ]);
  const both = [AggregatedList.safeParse(core), AggregatedList.safeParse(groups)];
  const lists = both.flatMap(({ data }) => (data === undefined ? [] : [data]));
  return lists.length === both.length
    ? fromAggregated(lists.flatMap(({ items }) => items))
    : fromLists(get, groups, signal);
}

function fromAggregated(groups: readonly AggregatedGroup[]): ApiCatalogue {
  const stale = groups.filter(({ versions }) =>
    versions.some(
      ({ freshness, resources }) => freshness === "Stale" && (resources ?? []).length === 0,
    ),
  );
  return {
    resources: groups.flatMap(resourcesOfGroup),
    unavailable: stale.map(({ metadata }) => metadata?.name ?? "core"),
  };
}

/** Each kind in the first version that has it: versions come with the preferred one first. */
function resourcesOfGroup({ metadata, versions }: AggregatedGroup): readonly ApiResource[] {
  const found = new Map<string, ApiResource>();
  for (const { version, resources } of versions)
    for (const each of resources ?? [])
      if (!found.has(each.resource))
        found.set(each.resource, aggregatedResource(metadata?.name ?? "", version, each));
  return [...found.values()];
}

function aggregatedResource(
  group: string,
  version: string,
  each: z.output<typeof AggregatedResource>,
): ApiResource {
  return {
    group,
    version,
    kind: each.responseKind?.kind ?? "",
    plural: each.resource,
    singular: each.singularResource ?? "",
    namespaced: each.scope === "Namespaced",
    ...wordLists(each),
  };
}

function wordLists(each: {
  readonly verbs?: readonly string[] | null | undefined;
  readonly shortNames?: readonly string[] | null | undefined;
  readonly categories?: readonly string[] | null | undefined;
}): Pick<ApiResource, "verbs" | "shortNames" | "categories"> {
  return {
    verbs: each.verbs ?? [],
    shortNames: each.shortNames ?? [],
    categories: each.categories ?? [],
  };
}

async function fromLists(
  get: GetJson,
  groups: unknown,
  signal: AbortSignal,
): Promise<ApiCatalogue> {
  const parsed = GroupList.safeParse(groups);
  if (!parsed.success)
    throw new ClusterError(
      "invalid",
      "the server's list of API groups cannot be read; is it a Kubernetes API server?",
    );
  const named = parsed.data.groups.map(({ name, preferredVersion }) => ({
    group: name,
    version: preferredVersion?.version ?? "v1",
  }));
  const all = [{ group: "", version: "v1" }, ...named];
  const answers = await Promise.all(all.map((each) => listedGroup(get, each, signal)));
  return {
    resources: answers.flatMap((answer) => answer ?? []),
    unavailable: all.filter((_, index) => answers[index] === undefined).map(({ group }) => group),
  };
}

async function listedGroup(
  get: GetJson,
  { group, version }: { readonly group: string; readonly version: string },
  signal: AbortSignal,
): Promise<readonly ApiResource[] | undefined> {
  const path = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  let json: unknown;
  try {
    json = await get(path, "application/json", signal);
  } catch (error) {
    // 503 of one aggregated API must not hide the rest; the core group's failure is everybody's
    if (group === "" || !(error instanceof ClusterError) || error.code === "unauthorized")
      throw error;
    return undefined;
  }
  const list = ResourceList.safeParse(json);
  if (!list.success) return undefined;
  return list.data.resources
    .filter(({ name }) => !name.includes("/"))
    .map((each) => ({
      group,
      version,
      kind: each.kind,
      plural: each.name,
      singular: each.singularName ?? "",
      namespaced: each.namespaced,
      ...wordLists(each),
    }));
}
