import type { JsonObject } from "../json-read.ts";
import { pathIn, repositoryIn } from "../repository.ts";
import { shown, simpleSkill } from "../simple-skill.ts";
import type { Situation } from "../situation.ts";
import { named, nameWords, oneLine } from "../words.ts";

const withRepository = (situation: Situation, args: JsonObject): JsonObject => ({
  ...repositoryIn(situation),
  ...args,
});

/** Pull requests of the repository. */
export const pullRequests = simpleSkill({
  name: "pull requests",
  tools: ["list_pull_requests"],
  words: /\b(pull requests?|prs?|merge requests?|reviews?)\b/iu,
  weight: 5,
  noun: "pull request",
  arguments: (situation) =>
    numberIn(situation.question) === undefined
      ? withRepository(situation, { state: stateIn(situation.question), perPage: 30 })
      : undefined,
});

/** One pull request by its number. */
export const pullRequest = simpleSkill({
  name: "pull request",
  tools: ["get_pull_request", "pull_request_read"],
  words: /\b(pull requests?|prs?|merge requests?)\b|#\d+/iu,
  weight: 6,
  noun: "pull request",
  arguments: (situation) => {
    const number = numberIn(situation.question);
    return number === undefined || changedFilesIn(situation.question)
      ? undefined
      : withRepository(situation, { pull_number: number, method: "get" });
  },
});

/** The files of one pull request. */
export const pullRequestFiles = simpleSkill({
  name: "files of a pull request",
  tools: ["get_pull_request_files"],
  words: /\b(pull requests?|prs?|merge requests?|files?|changes?|changed)\b|#\d+/iu,
  weight: 6,
  noun: "file",
  arguments: (situation) => {
    const number = numberIn(situation.question);
    return number === undefined ? undefined : withRepository(situation, { pull_number: number });
  },
});

/** Commits, of one file where the question names one; else those that mention its words come first. */
export const commits = simpleSkill({
  name: "commits",
  tools: ["list_commits"],
  words:
    /\b(commits?|committed|history|last changes?|recent changes?|who changed|what changed|which changes?|recently changed|changed last|touched)\b/iu,
  weight: 6,
  noun: "commit",
  arguments: (situation) =>
    withRepository(situation, { path: pathIn(situation.question), perPage: 30 }),
  report(situation, answers) {
    const plain = shown({ name: "commits", noun: "commit" })(situation, answers);
    const words = nameWords(situation.question).filter((word) => !GIT_WORDS.test(word));
    const fits = (row: readonly (string | number)[]) => {
      const text = row.join(" ").toLowerCase();
      return words.some((word) => text.includes(word));
    };
    const about = plain.tables.map((table) => ({ ...table, rows: table.rows.filter(fits) }));
    const [first] = about.flatMap(({ rows }) => rows);
    if (first === undefined) return plain;
    return {
      ...plain,
      tables: about,
      summary: `${plain.summary} Those that mention ${named(words)} are below.`,
    };
  },
});

/** The content of a file that the question names. */
export const fileContents = simpleSkill({
  name: "file",
  tools: ["get_file_contents"],
  words:
    /\b(files?|contents?|show|read|open|what is in|what's in|director(?:y|ies)|folders?|[\w.-]+\.(?:ya?ml|json|md|toml|ts|tf|txt))\b/iu,
  weight: 4,
  noun: "entry",
  arguments: (situation) => {
    const path = pathIn(situation.question);
    return path === undefined ? undefined : withRepository(situation, { path });
  },
});

/** Where something is in the code. */
export const codeSearch = simpleSkill({
  name: "code search",
  tools: ["search_code"],
  words:
    /\b(search|find|where|which files?|grep|defined|definition|look for|uses?|mention\w*|manifests?|configured)\b/iu,
  weight: 4,
  noun: "match",
  arguments: (situation) => {
    const query = searchWords(situation.question);
    return query === "" ? undefined : withRepository(situation, { query });
  },
});

/** Issues by words of the question. */
export const issues = simpleSkill({
  name: "issues",
  tools: ["search_issues"],
  words: /\b(github issues?|open issues?|issues?|tickets?)\b/iu,
  weight: 5,
  noun: "issue",
  arguments: (situation) =>
    withRepository(situation, { query: searchWords(situation.question) || "is:open" }),
});

function numberIn(question: string): number | undefined {
  const found =
    /(?:#|\b(?:pr|pull request|merge request)\s+(?:number\s+|no\.?\s*)?)(\d{1,7})\b/i.exec(
      question,
    )?.[1];
  return found === undefined ? undefined : Number(found);
}

function changedFilesIn(question: string): boolean {
  return /\b(files?|changes?|changed|diff)\b/i.test(question);
}

function stateIn(question: string): "open" | "closed" | "all" {
  if (/\b(closed|merged)\b/i.test(question)) return "closed";
  return /\b(all|every)\b/i.test(question) ? "all" : "open";
}

const GIT_WORDS =
  /^(search|find|grep|repo|repository|code|file|files|issue|issues|ticket|tickets|open|defined|definition|uses?|mention\w*|git|github|configured|commits?|committed|history|change|changes|changed|touched|containing|contain|contains|manifests?|pull|request|requests)$/;

/** What to search for: the text in quotes or backticks, else the names of the question. */
function searchWords(question: string): string {
  const quoted = /[`"“]([^`"”]{2,200})[`"”]/.exec(question)?.[1];
  if (quoted !== undefined) return oneLine(quoted, 200);
  return nameWords(question)
    .filter((word) => !GIT_WORDS.test(word))
    .slice(0, 3)
    .map((word) => asWritten(question, word))
    .join(" ");
}

/** A word as the question spells it: some searches mind the case. */
function asWritten(question: string, word: string): string {
  const at = question.toLowerCase().indexOf(word);
  return at < 0 ? word : question.slice(at, at + word.length);
}
