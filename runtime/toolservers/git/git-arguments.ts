import * as z from "zod";
import {
  isAgentBranch,
  isBranchName,
  isRepositoryPath,
  MAX_REPOSITORY_PATH,
} from "../../api/rules/git-writes.ts";
import { count, optionalText } from "../arguments.ts";

/** Name of a branch. */
export function branchName(description: string) {
  return z
    .string()
    .max(200)
    .refine(isBranchName, "must be the name of a branch: letters, digits, . _ - and /")
    .describe(description);
}

/** Name of a branch that agents may write to. */
export function agentBranch(description: string) {
  return branchName(description).refine(
    isAgentBranch,
    "must begin with agent/: agents write to no other branch",
  );
}

/** Optional branch or commit; blank counts as absent. */
export function optionalRef(description: string) {
  return optionalText(200, description).refine(
    (ref) => ref === undefined || isBranchName(ref),
    "must be a branch or the hash of a commit",
  );
}

/** Path of a file from the root of the repository. */
export function filePath(description: string) {
  return z
    .string()
    .min(1)
    .max(MAX_REPOSITORY_PATH)
    .refine(
      isRepositoryPath,
      "must be a path inside the repository, without .., .git or a leading /",
    )
    .describe(description);
}

/** Optional path; `""`, the default, is the root; a `/` at its end is dropped. */
export function optionalPath(description: string) {
  const schema = z
    .string()
    .max(MAX_REPOSITORY_PATH)
    .refine(
      (path) => path === "" || isRepositoryPath(path),
      "must be a path inside the repository, without .., .git or a leading /",
    )
    .default("");
  return z.preprocess(withoutEndSlash, schema).describe(description);
}

function withoutEndSlash(value: unknown): unknown {
  return typeof value === "string" ? value.trim().replace(/^(\.?\/)$|\/$/, "") : value;
}

/** Owner and repository: optional, because there is one repository; checked when given. */
export const REPOSITORY = {
  owner: optionalText(100, "Owner of the repository; may be left out"),
  repo: optionalText(100, "Name of the repository; may be left out"),
};

/** Page and size of a page. */
export const PAGES = {
  page: count(1000, 1, "Page, from 1"),
  perPage: count(100, 30, "Results a page"),
};

/** One page of `items`. */
export function paged<T>(
  items: readonly T[],
  { page, perPage }: { readonly page: number; readonly perPage: number },
): readonly T[] {
  return items.slice((page - 1) * perPage, page * perPage);
}

/** A JSON array with one entry a line. */
export function jsonLines(items: readonly unknown[]): string {
  return items.length === 0
    ? "[]"
    : `[\n${items.map((item) => JSON.stringify(item)).join(",\n")}\n]`;
}
