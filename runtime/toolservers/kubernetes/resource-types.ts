import type { ApiResource } from "../../api/cluster-reader.ts";
import { similarNames } from "../similar-names.ts";

/** 12 kinds per call: what the category `all` holds, with room. */
const MAX_TYPES = 12;

/** What a written resource type stands for. */
export type ResourceMatch =
  | { readonly ok: true; readonly resources: readonly ApiResource[] }
  | {
      readonly ok: false;
      /** The word that is not known. */
      readonly word: string;
      /** What may have been meant, best first. */
      readonly suggestions: readonly string[];
    };

/**
 * Kinds that `text` names, as kubectl understands it: plural, singular, kind or short name in any case,
 * `plural.group`, `plural.version.group`, several with commas, or a category such as `all`.
 *
 * Where several groups have the name, the core group wins, then the order of the server.
 *
 * @example
 * findResourceTypes("po", served); // pods
 * findResourceTypes("kustomizations.kustomize.toolkit.fluxcd.io", served);
 */
export function findResourceTypes(text: string, served: readonly ApiResource[]): ResourceMatch {
  const listable = served.filter(({ verbs }) => verbs.includes("list") || verbs.includes("get"));
  const found: ApiResource[] = [];
  const words = text.split(",").map((word) => word.trim().toLowerCase());
  for (const word of words.filter((each) => each !== "")) {
    const matches = named(word, listable);
    if (matches.length === 0) return { ok: false, word, suggestions: suggestions(word, listable) };
    found.push(...matches.filter((match) => !found.includes(match)));
  }
  if (found.length === 0) return { ok: false, word: text, suggestions: [] };
  return { ok: true, resources: found.slice(0, MAX_TYPES) };
}

function named(word: string, served: readonly ApiResource[]): readonly ApiResource[] {
  const direct = served.find((resource) => namesOf(resource).includes(word));
  if (direct !== undefined) return [direct];
  const qualified = served.find((resource) => qualifiedNamesOf(resource).includes(word));
  if (qualified !== undefined) return [qualified];
  return served.filter(({ categories }) => categories.includes(word));
}

function namesOf(resource: ApiResource): readonly string[] {
  const { plural, singular, kind, shortNames } = resource;
  return [plural, singular, kind.toLowerCase(), ...shortNames].filter((name) => name !== "");
}

function qualifiedNamesOf(resource: ApiResource): readonly string[] {
  const { group, version, plural } = resource;
  if (group === "") return [`${plural}.${version}`];
  return namesOf(resource).flatMap((name) => [`${name}.${group}`, `${name}.${version}.${group}`]);
}

/** Three ways out are enough for a model. */
const MAX_SUGGESTIONS = 3;

function suggestions(word: string, served: readonly ApiResource[]): readonly string[] {
  const bare = word.slice(0, 100).split(".")[0] ?? word;
  const known = served.flatMap((resource) => [resource.plural, ...resource.shortNames]);
  return similarNames(bare, known, MAX_SUGGESTIONS);
}

/** Whether Kubernetes itself defines the kind. */
export function isBuiltIn({ group }: Pick<ApiResource, "group">): boolean {
  return !group.includes(".") || group.endsWith(".k8s.io");
}

/** `Deployment` or, outside the built-in groups, `Kustomization.kustomize.toolkit.fluxcd.io`. */
export function typeText(resource: ApiResource): string {
  return isBuiltIn(resource) ? resource.kind : `${resource.kind}.${resource.group}`;
}
