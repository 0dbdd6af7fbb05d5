import * as z from "zod";
import type { ToolDefinition } from "../../api/tool.ts";
import { choice, optionalText, wholeNumber } from "../arguments.ts";
import { boundBytes, clip } from "../bounded-text.ts";
import { ADDS, defineTool, ToolFailure } from "../define-tool.ts";
import { agentBranch, branchName, jsonLines, PAGES, paged, REPOSITORY } from "./git-arguments.ts";
import type { PullRequest } from "./git-records.ts";
import { type LocalRepository, MAIN } from "./local-repository.ts";
import { opened, pullRequest, rangeOf, tipOf } from "./repository-access.ts";

/** The tools around pull requests. */
export function pullRequestTools(local: LocalRepository): readonly ToolDefinition[] {
  return [
    listPullRequests(local),
    getPullRequest(local),
    getPullRequestFiles(local),
    createPullRequest(local),
  ];
}

const NUMBER = {
  ...REPOSITORY,
  pullNumber: wholeNumber(999_999_999, "Number of the pull request"),
};

/** What lists show of a pull request. */
function summary({
  number,
  title,
  state,
  draft,
  head,
  base,
  author,
  createdAt,
  updatedAt,
  mergedAt,
}: PullRequest) {
  return {
    number,
    title,
    state,
    draft,
    merged: mergedAt !== undefined,
    head,
    base,
    user: author,
    created_at: createdAt,
    updated_at: updatedAt,
    ...(mergedAt === undefined ? {} : { merged_at: mergedAt }),
  };
}

function listPullRequests(local: LocalRepository): ToolDefinition {
  return defineTool({
    name: "list_pull_requests",
    description: `Pull requests of the repository ${local.fullName}, the newest first.`,
    inputSchema: z.strictObject({
      ...REPOSITORY,
      state: choice(["open", "closed", "all"], "open", "open (default), closed or all"),
      head: optionalText(200, "Only those of this branch"),
      base: optionalText(200, "Only those for this branch"),
      ...PAGES,
    }),
    run: async (args, { signal }) => {
      await opened(local, args, signal);
      const pulls = (await local.records(signal))
        .filter((record) => record.kind === "pull-request")
        .filter(({ state }) => args.state === "all" || state === args.state)
        .filter(({ head }) => args.head === undefined || head === args.head.split(":").at(-1))
        .filter(({ base }) => args.base === undefined || base === args.base);
      return boundBytes(jsonLines(paged(pulls, args).map(summary)));
    },
  });
}

/** 4000 characters of a body or comment are shown. */
const MAX_BODY = 4000;

function getPullRequest(local: LocalRepository): ToolDefinition {
  return defineTool({
    name: "get_pull_request",
    description: `One pull request of the repository ${local.fullName}: title, text, branches, state, comments, size.`,
    inputSchema: z.strictObject(NUMBER),
    run: async (args, { signal }) => {
      const git = await opened(local, args, signal);
      const pull = await pullRequest(local, args.pullNumber, signal);
      const { from, to } = await rangeOf(git, pull, signal);
      const files = await git.changes(from, to, signal);
      const size = {
        changed_files: files.length,
        additions: files.reduce((sum, each) => sum + each.additions, 0),
        deletions: files.reduce((sum, each) => sum + each.deletions, 0),
      };
      const comments = pull.comments.map((each) => ({ ...each, body: clip(each.body, MAX_BODY) }));
      const body = clip(pull.body, MAX_BODY);
      return boundBytes(
        JSON.stringify({ ...summary(pull), body, labels: pull.labels, ...size, comments }),
      );
    },
  });
}

function getPullRequestFiles(local: LocalRepository): ToolDefinition {
  return defineTool({
    name: "get_pull_request_files",
    description: `Files that a pull request of the repository ${local.fullName} changes, with its diff.`,
    inputSchema: z.strictObject(NUMBER),
    run: async (args, { signal }) => {
      const git = await opened(local, args, signal);
      const { from, to } = await rangeOf(
        git,
        await pullRequest(local, args.pullNumber, signal),
        signal,
      );
      const [files, diff] = await Promise.all([
        git.changes(from, to, signal),
        git.diff(from, to, signal),
      ]);
      return boundBytes(`${jsonLines(files)}\n\n${diff}`);
    },
  });
}

function createPullRequest(local: LocalRepository): ToolDefinition {
  return defineTool({
    name: "create_pull_request",
    description: `Opens a draft pull request in the repository ${local.fullName} from a branch agent/*. It is always a draft; people merge it.`,
    inputSchema: z.strictObject({
      ...REPOSITORY,
      title: z.string().trim().min(1).max(200).describe("What the change does"),
      body: z.string().max(20_000).default("").describe("Why, with the evidence"),
      head: agentBranch("Branch with the changes; begins with agent/"),
      base: branchName("Branch they are for").default(MAIN),
      draft: z.boolean().default(true).describe("Always a draft, whatever is given"),
    }),
    hints: ADDS,
    run: async (args, { signal, user }) => {
      const git = await opened(local, args, signal);
      const [headSha, base] = [
        await tipOf(git, args.head, signal),
        await tipOf(git, args.base, signal),
      ];
      const baseSha = await git.mergeBase(base, headSha, signal);
      if (baseSha === undefined)
        throw new ToolFailure(`${args.head} and ${args.base} have no history in common`);
      if (baseSha === headSha)
        throw new ToolFailure(
          `${args.head} has no commits that ${args.base} lacks; commit to it first`,
        );
      const pull = await local.write(signal, (records, number): PullRequest => {
        const same = records.find(
          (record) =>
            record.kind === "pull-request" &&
            record.state === "open" &&
            record.head === args.head &&
            record.base === args.base,
        );
        if (same !== undefined)
          throw new ToolFailure(`pull request ${same.number} is open for ${args.head} already`);
        const now = new Date(local.now()).toISOString();
        return {
          kind: "pull-request",
          number,
          title: args.title,
          body: args.body,
          author: user,
          state: "open",
          draft: true,
          labels: [],
          comments: [],
          head: args.head,
          base: args.base,
          headSha,
          baseSha,
          createdAt: now,
          updatedAt: now,
        };
      });
      return `draft pull request ${pull.number} is open in the local repository ${local.fullName}\n${JSON.stringify(summary(pull))}`;
    },
  });
}
