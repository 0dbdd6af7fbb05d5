import * as z from "zod";
import type { ToolDefinition } from "../../api/tool.ts";
import { wholeNumber } from "../arguments.ts";
import { boundBytes, clip } from "../bounded-text.ts";
import { ADDS, defineTool, ToolFailure } from "../define-tool.ts";
import { jsonLines, PAGES, paged, REPOSITORY } from "./git-arguments.ts";
import type { GitRecord, Issue } from "./git-records.ts";
import type { LocalRepository } from "./local-repository.ts";
import { opened } from "./repository-access.ts";

/** The tools around issues. */
export function issueTools(local: LocalRepository): readonly ToolDefinition[] {
  return [searchIssues(local), createIssue(local), addIssueComment(local)];
}

function summary(record: GitRecord) {
  const { number, title, state, labels, author, comments, createdAt, updatedAt, body } = record;
  return {
    number,
    title,
    state,
    labels,
    user: author,
    comments: comments.length,
    created_at: createdAt,
    updated_at: updatedAt,
    body: clip(body, 500),
  };
}

function searchIssues(local: LocalRepository): ToolDefinition {
  return defineTool({
    name: "search_issues",
    description: `Finds issues of the repository ${local.fullName} that contain all words of the query, the newest first. Qualifiers: is:open, is:closed, is:pr, label:incident, state:open. Use it before filing an issue, to find a duplicate.`,
    inputSchema: z.strictObject({
      ...REPOSITORY,
      query: z
        .string()
        .max(500)
        .describe("Words and qualifiers, e.g. is:open label:incident checkout"),
      ...PAGES,
    }),
    run: async (args, { signal }) => {
      await opened(local, args, signal);
      const accepts = understood(args.query);
      const found = (await local.records(signal)).filter(accepts);
      const items = jsonLines(paged(found, args).map(summary));
      return boundBytes(`{"total_count":${found.length},"items":${items}}`);
    },
  });
}

function understood(query: string): (record: GitRecord) => boolean {
  const tests = [
    ...query.matchAll(/([a-z]{2,10}):("[^"]{1,100}"|\S+)|"([^"]{1,200})"|(\S+)/gi),
  ].map(([, qualifier, value, quoted, word]) =>
    qualifier === undefined
      ? hasText(quoted ?? word ?? "")
      : qualifierTest(qualifier.toLowerCase(), (value ?? "").replaceAll('"', "").toLowerCase()),
  );
  const asksPulls = /\b(is|type):(pr|pull-request)\b/i.test(query);
  return (record) =>
    (record.kind === "pull-request") === asksPulls && tests.every((test) => test(record));
}

function hasText(text: string): (record: GitRecord) => boolean {
  const wanted = text.toLowerCase();
  return ({ title, body }) => `${title}\n${body}`.toLowerCase().includes(wanted);
}

/** `repo:`, `in:` and their like say nothing in a repository of its own. */
const IGNORED = new Set(["repo", "org", "user", "type", "in", "sort"]);

function qualifierTest(qualifier: string, value: string): (record: GitRecord) => boolean {
  if (IGNORED.has(qualifier)) return () => true;
  if (qualifier === "is" || qualifier === "state")
    return value === "open" || value === "closed" ? ({ state }) => state === value : () => true;
  if (qualifier === "label")
    return ({ labels }) => labels.some((label) => label.toLowerCase() === value);
  if (qualifier === "author") return ({ author }) => author.toLowerCase() === value;
  return hasText(`${qualifier}:${value}`);
}

/** 64 KiB of a report; a chapter, not a dump. */
const Body = z.string().max(64 * 1024);

function createIssue(local: LocalRepository): ToolDefinition {
  return defineTool({
    name: "create_issue",
    description: `Files an issue in the repository ${local.fullName}. Search for a duplicate first.`,
    inputSchema: z.strictObject({
      ...REPOSITORY,
      title: z.string().trim().min(1).max(256).describe("Title"),
      body: Body.default("").describe("Text in Markdown"),
      labels: z
        .array(z.string().min(1).max(50))
        .max(20)
        .default([])
        .describe("Labels, e.g. incident"),
    }),
    hints: ADDS,
    run: async (args, { signal, user }) => {
      await opened(local, args, signal);
      const issue = await local.write(signal, (_records, number): Issue => {
        const now = new Date(local.now()).toISOString();
        return {
          kind: "issue",
          number,
          title: args.title,
          body: args.body,
          author: user,
          state: "open",
          labels: args.labels,
          comments: [],
          createdAt: now,
          updatedAt: now,
        };
      });
      return `issue ${issue.number} filed in the local repository ${local.fullName}\n${JSON.stringify(summary(issue))}`;
    },
  });
}

/** 500 comments on one record. */
const MAX_COMMENTS = 500;

function addIssueComment(local: LocalRepository): ToolDefinition {
  return defineTool({
    name: "add_issue_comment",
    description: `Adds a comment to an issue or pull request of the repository ${local.fullName}.`,
    inputSchema: z.strictObject({
      ...REPOSITORY,
      issue_number: wholeNumber(999_999_999, "Number of the issue or pull request"),
      body: Body.min(1).describe("Text in Markdown"),
    }),
    hints: ADDS,
    run: async (args, { signal, user }) => {
      await opened(local, args, signal);
      const record = await local.write(signal, (records) => {
        const found = records.find(({ number }) => number === args.issue_number);
        if (found === undefined) throw new ToolFailure(`there is no issue ${args.issue_number}`);
        if (found.comments.length >= MAX_COMMENTS)
          throw new ToolFailure(
            `issue ${args.issue_number} has ${MAX_COMMENTS} comments, which is the most it can have`,
          );
        const createdAt = new Date(local.now()).toISOString();
        const comments = [...found.comments, { author: user, body: args.body, createdAt }];
        return { ...found, comments, updatedAt: createdAt };
      });
      return `comment ${record.comments.length} added to ${record.kind === "issue" ? "issue" : "pull request"} ${record.number}`;
    },
  });
}
