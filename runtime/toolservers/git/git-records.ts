import { randomUUID } from "node:crypto";
import { mkdir, open, readdir, readFile, rename } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { ToolFailure } from "../define-tool.ts";

const Comment = z.strictObject({ author: z.string(), body: z.string(), createdAt: z.string() });

const Common = {
  /** Unique among issues and pull requests, from 1. */
  number: z.int().min(1),
  title: z.string(),
  body: z.string(),
  /** Who asked for it. */
  author: z.string(),
  state: z.enum(["open", "closed"]),
  labels: z.array(z.string()),
  comments: z.array(Comment),
  /** RFC 3339. */
  createdAt: z.string(),
  /** RFC 3339. */
  updatedAt: z.string(),
};

/** An issue or pull request of the local repository, as it is kept in a file. */
export const GitRecord = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("issue"), ...Common }),
  z.strictObject({
    kind: z.literal("pull-request"),
    ...Common,
    draft: z.boolean(),
    /** Branch with the changes. */
    head: z.string(),
    /** Branch they are for. */
    base: z.string(),
    /** Last commit of `head` when the record was made; what counts once the branch is gone. */
    headSha: z.string(),
    /** Where the branches forked. */
    baseSha: z.string(),
    /** RFC 3339; absent while not merged. */
    mergedAt: z.string().exactOptional(),
  }),
]);
/** An issue or pull request. */
export type GitRecord = z.output<typeof GitRecord>;
/** A pull request. */
export type PullRequest = Extract<GitRecord, { kind: "pull-request" }>;
/** An issue. */
export type Issue = Extract<GitRecord, { kind: "issue" }>;

/** Where issues and pull requests are kept. */
export interface GitRecords {
  /** All of them, the newest number first. */
  all(): Promise<readonly GitRecord[]>;
  /** Stores a record under its number, replacing the one there; durable once resolved. */
  put(record: GitRecord): Promise<void>;
}

const FILE = /^(\d{1,9})\.json$/;
/** 10,000 records are read; a local repository has some dozen. */
const MAX_RECORDS = 10_000;

/** Records as JSON files `<number>.json` in `directory`, which is created when missing; each write is atomic. */
export function fileRecords(directory: string): GitRecords {
  return {
    async all() {
      await mkdir(directory, { recursive: true });
      const names = (await readdir(directory)).filter((name) => FILE.test(name));
      const records = await Promise.all(
        names.slice(0, MAX_RECORDS).map((name) => readRecord(join(directory, name))),
      );
      return records.sort((a, b) => b.number - a.number);
    },
    async put(record) {
      await mkdir(directory, { recursive: true });
      const path = join(directory, `${record.number}.json`);
      const draft = join(directory, `.${record.number}-${randomUUID()}`);
      const file = await open(draft, "wx", 0o600);
      try {
        await file.writeFile(`${JSON.stringify(record, null, 2)}\n`);
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(draft, path);
    },
  };
}

async function readRecord(path: string): Promise<GitRecord> {
  const parsed = GitRecord.safeParse(json(await readFile(path, "utf8")));
  if (parsed.success) return parsed.data;
  throw new ToolFailure(`the record in ${path} is damaged; restore or remove it`);
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
