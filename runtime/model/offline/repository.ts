import type { JsonObject } from "./json-read.ts";
import type { Situation } from "./situation.ts";

/** Ends of file names that questions name. */
const FILE =
  /(?:^|[\s`"'(])((?:[\w.-]+\/)*[\w.-]+\.(?:ya?ml|json|md|toml|ts|js|py|go|tf|txt|sh|env|cfg|ini|conf))(?=$|[\s`"'),.:;!?])/i;
const FOLDER = /(?:^|[\s`"'(])((?:[\w.-]+\/){1,20}[\w.-]*)(?=$|[\s`"'),:;!?])/g;

/** Path of a file or folder in a question. */
export function pathIn(question: string): string | undefined {
  const file = FILE.exec(question)?.[1];
  if (file !== undefined) return file;
  const repository = REPOSITORY.exec(question)?.[0] ?? "";
  const folders = [...question.matchAll(FOLDER)].map(([, folder = ""]) => folder);
  return folders
    .find((folder) => !repository.includes(folder) && !/^(?:and\/or|\w\/\w)$/i.test(folder))
    ?.replace(/\/$/, "");
}

const REPOSITORY =
  /\b(?:repository|repo|repositories)\b[^\n]{0,40}?\b([A-Za-z0-9][\w-]{0,38})\/([\w.-]{1,100})|\b([A-Za-z0-9][\w-]{0,38})\/([\w.-]{1,100})\s+(?:repository|repo)\b/;

/** Owner and name of the repository: of the question, else of the system message; empty where none is named. */
export function repositoryIn({ question, system }: Situation): JsonObject {
  const match = REPOSITORY.exec(question) ?? REPOSITORY.exec(system);
  const owner = match?.[1] ?? match?.[3];
  const repo = (match?.[2] ?? match?.[4])?.replace(/[.,]+$/, "");
  return owner === undefined || repo === undefined ? {} : { owner, repo };
}
