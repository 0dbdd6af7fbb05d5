import * as z from "zod";
import { GROUP } from "../names.ts";
import { type Finding, reporter } from "./finding.ts";
import { type LintOptions, lintSources } from "./lint.ts";
import type { LintedSource } from "./report.ts";

/** A document of a YAML or JSON file, or why it could not be read. */
export type ManifestDocument = { readonly value: unknown } | { readonly problem: string };

/** A YAML document as its parser hands it over. */
interface ParsedDocument {
  readonly errors: readonly { readonly message: string }[];
  toJS(options: { readonly maxAliasCount: number }): unknown;
}

/** Aliases of one document: bounds what a small file can grow to. */
const MAX_ALIASES = 100;

/** The value of a parsed document, or what is wrong with it. Never throws. */
export function manifestDocument(document: ParsedDocument): ManifestDocument {
  const [error] = document.errors;
  if (error !== undefined) return { problem: error.message.split(":\n")[0] ?? error.message };
  try {
    return { value: document.toJS({ maxAliasCount: MAX_ALIASES }) };
  } catch (cause) {
    return { problem: cause instanceof Error ? cause.message : String(cause) };
  }
}

/** A file of manifests, read. */
export interface ManifestFile {
  /** Its name, for people. */
  readonly source: string;
  readonly documents: readonly ManifestDocument[];
}

const items = z.array(z.unknown());
/** What `kubectl get ... -o yaml` and the API server wrap several objects in. */
const List = z.union([
  z.looseObject({ apiVersion: z.literal("v1"), kind: z.literal("List"), items }),
  z.looseObject({
    apiVersion: z.string().startsWith(`${GROUP}/`),
    kind: z.string().endsWith("List"),
    items,
  }),
]);
const TypeMeta = z.looseObject({ apiVersion: z.string(), kind: z.string() });

/**
 * Lints the objects of several files as one set.
 *
 * Empty documents are dropped, lists become their items, and objects of other APIs (a Deployment beside
 * an Agent) are counted, not judged. A document that could not be read is an error of its file.
 */
export function lintManifests(
  files: readonly ManifestFile[],
  options: LintOptions = {},
): readonly LintedSource[] {
  const split = files.map(({ source, documents }) => {
    const all = documents.flatMap((document) =>
      "value" in document ? itemsOf(document.value) : [],
    );
    const objects = all.filter((object) => !isForeign(object));
    return { source, objects, skipped: all.length - objects.length };
  });
  return lintSources(split, options).map((linted, at) => ({
    ...linted,
    skipped: split[at]?.skipped ?? 0,
    findings: [...unreadable(files[at]?.documents ?? []), ...linted.findings],
  }));
}

function itemsOf(document: unknown): readonly unknown[] {
  const listed = List.safeParse(document).data?.items;
  return listed ?? (document === null || document === undefined ? [] : [document]);
}

function isForeign(object: unknown): boolean {
  const { data } = TypeMeta.safeParse(object);
  return data !== undefined && !data.apiVersion.startsWith(`${GROUP}/`);
}

function unreadable(documents: readonly ManifestDocument[]): readonly Finding[] {
  return documents.flatMap((document, index) => {
    if ("value" in document) return [];
    return [reporter("syntax", `documents[${index}]`).error("", document.problem)];
  });
}
