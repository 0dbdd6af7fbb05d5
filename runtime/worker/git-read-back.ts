import { createHash } from "node:crypto";
import type { ToolServerUse } from "../api/agent-config.ts";
import { textOf } from "../api/events.ts";
import { gitWriteTool } from "../api/rules/git-writes.ts";
import { toolHeaders } from "./toolbox.ts";
import type { ToolAnswer, Turn } from "./turn-context.ts";

type Arguments = Readonly<Record<string, unknown>>;

/** Text of a file in a repository, or that it is not there; `unknown` when that cannot be told. */
export type FileState =
  | { readonly kind: "file"; readonly sha: string; readonly content?: string }
  | { readonly kind: "absent" }
  | { readonly kind: "unknown"; readonly why: string };

/** Longest wait for everything that one reading asks. */
const READ_BACK_MS = 10_000;

/** Pull requests of a page, ours and GitHub's, unless asked for more: behind a full one there may be others. */
const PAGE = 30;
/** Words of answers that say that something is not there: of our Git server, of GitHub's. */
const NOT_THERE = /\bthere is no\b|\bnot found\b|\bdoes not exist\b|\b404\b/i;

/** Hash that Git gives a file of this content. */
export function blobSha(content: string): string {
  const bytes = Buffer.from(content);
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}

/**
 * Reads a repository through the read tools of the server that writes to it, beside the calls of the model.
 *
 * The runtime asks for itself, so the agent's allow-list, which is the model's, does not bind it; only tools that read
 * are ever called.
 */
export class GitReadBack {
  readonly #turn: Turn;
  readonly #use: ToolServerUse;
  /** What stands before the names of the server's tools. */
  readonly #prefix: string;
  readonly #repository: Arguments;

  /** @param writer - Name of the tool that writes, and its arguments. */
  constructor(turn: Turn, use: ToolServerUse, writer: { name: string; args: Arguments }) {
    this.#turn = turn;
    this.#use = use;
    const tool = gitWriteTool(writer.name) ?? "";
    this.#prefix = writer.name.endsWith(tool) ? writer.name.slice(0, -tool.length) : "";
    const { args } = writer;
    this.#repository = Object.fromEntries(
      ["owner", "repo"].flatMap((key) => (Object.hasOwn(args, key) ? [[key, args[key]]] : [])),
    );
  }

  /** A file on a branch. */
  async file(path: string, branch: string): Promise<FileState> {
    const answer = await this.#read("get_file_contents", { path, ref: branch });
    if (answer.kind !== "answer") return answer;
    const text = textOf(answer.parts);
    if (!answer.ok)
      return NOT_THERE.test(text)
        ? { kind: "absent" }
        : { kind: "unknown", why: "the file could not be read" };
    return fileIn(text);
  }

  /** Whether a branch exists; `undefined` when that cannot be told. */
  async hasBranch(branch: string): Promise<boolean | undefined> {
    const answer = await this.#read("list_commits", { sha: branch, perPage: 1 });
    if (answer.kind !== "answer") return undefined;
    if (answer.ok) return true;
    return NOT_THERE.test(textOf(answer.parts)) ? false : undefined;
  }

  /** Whether there is a pull request from `head` to `base`, open or not; `undefined` when that cannot be told. */
  async hasPullRequest(head: string, base: string): Promise<boolean | undefined> {
    const answer = await this.#read("list_pull_requests", { head, base, state: "all" });
    if (answer.kind !== "answer" || !answer.ok) return undefined;
    const pulls = listIn(textOf(answer.parts));
    if (pulls?.some((pull) => refOf(pull, "head") === head && refOf(pull, "base") === base))
      return true;
    return pulls === undefined || pulls.length >= PAGE ? undefined : false;
  }

  async #read(
    tool: string,
    args: Arguments,
  ): Promise<({ readonly kind: "answer" } & ToolAnswer) | Extract<FileState, { kind: "unknown" }>> {
    const { deps, signal } = this.#turn;
    const { server } = this.#use;
    const headers = toolHeaders(this.#turn, this.#use);
    const late = new AbortController();
    const disarm = deps.clock.schedule(READ_BACK_MS, () => {
      late.abort(new Error("the tool server took too long"));
    });
    try {
      const name = `${this.#prefix}${tool}`;
      const limited = AbortSignal.any([signal, late.signal]);
      const offered = await deps.tools.listTools(server, headers, limited);
      if (!offered.some((each) => each.name === name))
        return { kind: "unknown", why: `the server has no tool ${name}` };
      const call = { server, name, args: { ...this.#repository, ...args }, headers };
      return { kind: "answer", ...(await deps.tools.callTool(call, limited)) };
    } catch (error) {
      signal.throwIfAborted();
      return { kind: "unknown", why: error instanceof Error ? error.message : String(error) };
    } finally {
      disarm();
    }
  }
}

/** The file in an answer: below the line that names its hash, or in JSON; the hash proves that it is whole. */
function fileIn(text: string): FileState {
  const match = /\bsha["']?[\s:=(]{1,3}["']?([0-9a-f]{40})\b/i.exec(text);
  const sha = match?.[1]?.toLowerCase();
  if (match === null || sha === undefined)
    return { kind: "unknown", why: "the answer names no sha" };
  const end = text.indexOf("\n", match.index);
  const below = end < 0 ? "" : text.slice(end + 1);
  const content = [below, contentIn(text)].find(
    (each) => each !== undefined && blobSha(each) === sha,
  );
  return { kind: "file", sha, ...(content === undefined ? {} : { content }) };
}

function contentIn(text: string): string | undefined {
  const file = json(text);
  if (typeof file !== "object" || file === null) return undefined;
  const { content, encoding } = file as { readonly content?: unknown; readonly encoding?: unknown };
  if (typeof content !== "string") return undefined;
  return encoding === "base64" ? Buffer.from(content, "base64").toString("utf8") : content;
}

function listIn(text: string): readonly unknown[] | undefined {
  const list = json(text);
  return Array.isArray(list) ? (list as readonly unknown[]) : undefined;
}

/** Branch of a pull request as our server (`head: "x"`) and GitHub's (`head: {ref: "x"}`) tell it. */
function refOf(pull: unknown, key: "head" | "base"): unknown {
  const side = (Object(pull) as Readonly<Record<string, unknown>>)[key];
  return typeof side === "string" ? side : (Object(side) as { readonly ref?: unknown }).ref;
}

/** JSON from the first line that begins with it on: servers put words before it. */
function json(text: string): unknown {
  const start = text.search(/^[[{]/m);
  try {
    return JSON.parse(text.slice(Math.max(0, start))) as unknown;
  } catch {
    return undefined; // text, which the caller reads another way
  }
}
