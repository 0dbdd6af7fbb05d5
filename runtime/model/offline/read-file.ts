import { parseJson, textAt } from "./json-read.ts";
import type { PastCall } from "./situation.ts";

/** A file of a repository. */
export interface RepositoryFile {
  readonly path: string;
  /** Exactly as it is. */
  readonly content: string;
  /** Hash of the file, needed to replace it; absent where the tool names none. */
  readonly sha: string | undefined;
}

/** What runtime and tools write where they cut a text. */
const CUT = /^\s*\[?\.\.\. .{0,80}left out.{0,20}$/m;

/**
 * The file in the answer of `get_file_contents`: JSON with its content, or text below a line that names the hash.
 *
 * `undefined` for a failure, and for a text that was cut: it could not be written back.
 */
export function readFile({ raw, args, failed }: PastCall): RepositoryFile | undefined {
  if (failed || raw === "") return undefined;
  const path = textAt(args, "path");
  const parsed = parseJson(raw);
  const inJson = textAt(parsed, "content") || textAt(parsed, "text");
  if (inJson !== "") {
    const content =
      textAt(parsed, "encoding") === "base64"
        ? Buffer.from(inJson, "base64").toString("utf8")
        : inJson;
    return { path, content, sha: textAt(parsed, "sha") || undefined };
  }
  if (CUT.test(raw)) return undefined;
  const end = raw.indexOf("\n");
  const sha = /\bsha["']?[\s:=(]{1,3}["']?([0-9a-f]{7,64})\b/i.exec(
    end < 0 ? raw : raw.slice(0, end),
  )?.[1];
  return { path, content: sha === undefined ? raw : raw.slice(end + 1), sha };
}
