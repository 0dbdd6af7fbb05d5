import { ToolFailure } from "../define-tool.ts";
import { missingNamespace, type Reading, resourceType, whereText } from "../kubernetes/reading.ts";
import { similarNames } from "../similar-names.ts";
import { type Release, type ReleaseHead, readRelease, releaseHead } from "./release.ts";

/** 500 release Secrets are read at most: 50 releases with the ten revisions that Helm keeps. */
const MAX_SECRETS = 500;

/** Which releases to look for. */
export interface ReleaseQuery {
  /** Absent: every release. */
  readonly name?: string;
  /** Absent: every namespace. */
  readonly namespace?: string;
}

/** Revisions that the cluster keeps, oldest first per release, and whether there are more. */
export async function releaseHeads(
  now: Reading,
  query: ReleaseQuery,
): Promise<{ readonly heads: readonly ReleaseHead[]; readonly more: boolean }> {
  const resource = await resourceType(now, "secrets");
  const labels = query.name === undefined ? "owner=helm" : `owner=helm,name=${query.name}`;
  const { items, more } = await now.cluster.list(
    resource,
    {
      labelSelector: labels,
      limit: MAX_SECRETS,
      ...(query.namespace === undefined ? {} : { namespace: query.namespace }),
    },
    now.signal,
  );
  const heads = items.map(releaseHead).filter((head) => head !== undefined);
  return { heads: heads.sort((a, b) => a.revision - b.revision), more };
}

/** The latest revision of each release among `heads`. */
export function latest(heads: readonly ReleaseHead[]): readonly ReleaseHead[] {
  const groups = Map.groupBy(heads, ({ namespace, name }) => `${namespace}/${name}`);
  return [...groups.values()].map((group) => group.at(-1)).filter((head) => head !== undefined);
}

/**
 * Revisions of one release, oldest first.
 *
 * @throws ToolFailure when there is none, saying where releases of that or a similar name are.
 */
export async function revisionsOf(
  now: Reading,
  { name, namespace }: Required<ReleaseQuery>,
): Promise<readonly [ReleaseHead, ...ReleaseHead[]]> {
  const { heads } = await releaseHeads(now, { name, namespace });
  const [first, ...rest] = heads;
  if (first !== undefined) return [first, ...rest];
  const missing = await missingNamespace(now, namespace);
  const all = await releaseHeads(now, {});
  const known = new Map(all.heads.map((head) => [head.name, head.namespace]));
  const hint = similarNames(name, known.keys(), 3)
    .map((each) => `${each} in namespace ${known.get(each) ?? "?"}`)
    .join(", ");
  const message = missing ?? `no Helm release ${name} ${whereText(namespace)}`;
  throw new ToolFailure(hint === "" ? message : `${message}; there is ${hint}`);
}

/** The last revision of a release, unpacked. @throws ToolFailure when there is none or it cannot be read. */
export async function currentRelease(
  now: Reading,
  query: Required<ReleaseQuery>,
): Promise<Release> {
  const revisions = await revisionsOf(now, query);
  return readRelease(revisions.at(-1) ?? revisions[0]);
}
