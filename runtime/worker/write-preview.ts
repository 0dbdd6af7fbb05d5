import { lineDiff } from "../api/line-diff.ts";
import { gitWriteTool } from "../api/rules/git-writes.ts";
import type { ModelToolCall } from "../model/chat-model.ts";
import { GitReadBack } from "./git-read-back.ts";
import type { Tool } from "./toolbox.ts";
import type { Turn } from "./turn-context.ts";

/** 24,000 characters of differences are shown; the arguments hold the rest. */
const MAX_PREVIEW_CHARS = 24_000;
/** Branch that a new one starts from unless the call says so. */
const DEFAULT_BRANCH = "main";

interface NewFile {
  readonly path: string;
  readonly content: string;
}

/**
 * What a call would change, as people read changes: a diff of each file that it writes to a repository; `undefined` for
 * calls that write no files.
 *
 * @throws The turn's abort reason.
 */
export async function writePreview(
  turn: Turn,
  tool: Extract<Tool, { kind: "mcp" }>,
  { name, args }: ModelToolCall,
): Promise<string | undefined> {
  const files = filesOf(name, args);
  const branch = args["branch"];
  if (files.length === 0 || typeof branch !== "string") return undefined;
  const repository = new GitReadBack(turn, tool.use, { name, args });
  const diffs = await Promise.all(files.map((file) => fileDiff(repository, branch, file)));
  const text = diffs.join("\n\n");
  return text.length <= MAX_PREVIEW_CHARS
    ? text
    : `${text.slice(0, MAX_PREVIEW_CHARS)}\n[... ${text.length - MAX_PREVIEW_CHARS} characters left out: the arguments hold everything]`;
}

function filesOf(name: string, args: Readonly<Record<string, unknown>>): readonly NewFile[] {
  const tool = gitWriteTool(name);
  const files = tool === "push_files" && Array.isArray(args["files"]) ? args["files"] : [args];
  if (tool !== "push_files" && tool !== "create_or_update_file") return [];
  return files.flatMap((file: unknown) => {
    const { path, content } = Object(file) as Readonly<Record<string, unknown>>;
    return typeof path === "string" && typeof content === "string" ? [{ path, content }] : [];
  });
}

async function fileDiff(
  repository: GitReadBack,
  branch: string,
  { path, content }: NewFile,
): Promise<string> {
  const there = await repository.file(path, branch);
  const before = there.kind === "unknown" ? await repository.file(path, DEFAULT_BRANCH) : there;
  if (before.kind === "absent") return `new file ${path}\n${lineDiff("", content)}`;
  if (before.kind === "unknown" || before.content === undefined)
    return `${path}: what is there now could not be read, so this is the whole new content\n${lineDiff("", content)}`;
  const diff = lineDiff(before.content, content);
  return diff === "" ? `${path}: nothing changes` : `change of ${path}\n${diff}`;
}
