import { callOf, type PlannedCall } from "../known-tool.ts";
import {
  changeIn,
  type EditedManifest,
  editManifest,
  type ManifestChange,
  placesIn,
} from "../manifest-edit.ts";
import { type RepositoryFile, readFile } from "../read-file.ts";
import { type Report, report } from "../report.ts";
import { pathIn, repositoryIn } from "../repository.ts";
import { answersOf, type Situation, toolNamed } from "../situation.ts";
import type { Skill } from "../skill.ts";
import { hits, nameWords, oneLine } from "../words.ts";

const CHANGE =
  /\b(open|create|make|raises?|prepare|propose|scale|increases?|decreases?|lowers?|reduces?|double|halve|upgrade|bump|downgrade|set|sets|change|update|fix|patch|pull request|pr)\b/iu;
/** Words of such requests that name no object. */
const OTHER_WORDS =
  /^(?:replicas?|image|images|tag|version|limits?|requests?|chart|pull|value|manifest|draft|branch)$/;

/** Tools that a change needs, in the order of its steps. */
const WRITES = ["create_branch", "create_or_update_file", "create_pull_request"] as const;

/** 3 files are looked at to find the one to change. */
const MAX_FILES = 3;

/**
 * Changes one value of a manifest by a draft pull request: reads the file, then proposes branch, commit and pull
 * request one after the other. Each of the three waits for approval; a refusal of one ends it.
 */
export const gitChange: Skill = {
  name: "change by pull request",

  score(situation) {
    const able = WRITES.every((tool) => toolNamed(situation, tool) !== undefined);
    const words = hits(situation.question, CHANGE).length;
    return able && words > 0 && requested(situation) !== undefined ? 8 + words : 0;
  },

  plan(situation) {
    const change = requested(situation);
    if (change === undefined) return [];
    const edit = editOf(situation, change);
    return [
      ...reads(situation, change),
      ...(edit === undefined ? [] : writes(situation, change, edit)),
    ];
  },

  report(situation) {
    const change = requested(situation);
    const edit = change === undefined ? undefined : editOf(situation, change);
    if (change === undefined || edit === undefined) return nothingDone(situation, change);
    return changeReport(situation, change, edit);
  },
};

function nothingDone(situation: Situation, change: ManifestChange | undefined): Report {
  const subject = change?.subject === "" ? "the object" : (change?.subject ?? "the object");
  const key = change?.key ?? "the value";
  const found = filesOf(situation)
    .map((file) => ({ file, places: change === undefined ? [] : placesIn(file.content, change) }))
    .find(({ places }) => places.length > 0);
  const shared = { operation: "change", severity: "warning" as const };
  if (found === undefined)
    return report({
      ...shared,
      summary: `No file was found in which ${key} of ${subject} can be set, so nothing was proposed.`,
      next: "name the file, the key and the new value.",
    });
  const values = [...new Set(found.places.map(({ value }) => value))].join(", ");
  return report({
    ...shared,
    summary: `In ${found.file.path} ${key} is ${values}; the request names no other value, so nothing was proposed.`,
    next: `say to which value ${key} of ${subject} is to be set.`,
  });
}

function changeReport(situation: Situation, change: ManifestChange, edit: FileEdit): Report {
  const done = WRITES.map((tool) => answersOf(situation, tool).at(-1));
  const stopped = done.find((call) => call?.failed === true);
  const pull = done.at(-1);
  const answer = pull === undefined || pull.failed ? "" : pull.text;
  const opened = answer !== "";
  const what = `${change.key} to ${edit.value} in ${edit.path}`;
  return report({
    operation: "change",
    summary: opened
      ? `A draft pull request sets ${what}.`
      : `The change that sets ${what} ended before its pull request.`,
    severity: opened ? "info" : "warning",
    quotes: [
      { title: `Change in ${edit.path}`, text: edit.diff },
      ...(opened ? [{ title: "Pull request", text: answer }] : []),
    ],
    notes: [
      ...(isNamed(change) ? [] : [ASSUMED]),
      ...(stopped === undefined ? [] : [`It stopped: ${oneLine(stopped.text, 300)}`]),
    ],
    next: opened ? "review the pull request and merge it." : "",
  });
}

const ASSUMED = "The request names no value: the current one was doubled, halved or moved by one.";

function isNamed({ to }: ManifestChange): boolean {
  return to !== undefined && "value" in to;
}

function requested({ question }: Situation): ManifestChange | undefined {
  const path = pathIn(question)?.toLowerCase();
  const names = nameWords(question).filter(
    (word) => word !== path && !word.includes("/") && !CHANGE.test(word) && !OTHER_WORDS.test(word),
  );
  return changeIn(question, names);
}

function reads(situation: Situation, change: ManifestChange): readonly (PlannedCall | undefined)[] {
  const repository = repositoryIn(situation);
  const path = pathIn(situation.question);
  const file = (each: string) =>
    callOf(toolNamed(situation, "get_file_contents"), { ...repository, path: each });
  if (path !== undefined) return [file(path)];
  if (change.subject === "") return [];
  const query = { ...repository, query: change.subject };
  return [
    callOf(toolNamed(situation, "search_code"), query),
    ...foundPaths(situation, change).map(file),
  ];
}

/** YAML files in the answers of searches, those that are likely to hold the object first. */
function foundPaths(situation: Situation, { subject }: ManifestChange): readonly string[] {
  const texts = answersOf(situation, "search_code").filter(({ failed }) => !failed);
  const paths = texts.flatMap(({ raw }) => raw.match(/[\w][\w./-]*\.ya?ml\b/g) ?? []);
  const likely = (path: string) =>
    (path.includes(`/${subject}/`) || path.includes(`/${subject}.`) ? 2 : 0) +
    (/(?:deployment|statefulset|daemonset|helmrelease|values|rollout)\.ya?ml$/.test(path) ? 1 : 0);
  return [...new Set(paths)].sort((a, b) => likely(b) - likely(a)).slice(0, MAX_FILES);
}

function filesOf(situation: Situation): readonly RepositoryFile[] {
  return answersOf(situation, "get_file_contents").flatMap((call) => readFile(call) ?? []);
}

type FileEdit = EditedManifest & RepositoryFile;

/** The first file that was read and has the value to change. */
function editOf(situation: Situation, change: ManifestChange): FileEdit | undefined {
  for (const file of filesOf(situation)) {
    const edited = editManifest(file.content, change);
    if (edited !== undefined) return { ...file, ...edited };
  }
  return undefined;
}

function writes(
  situation: Situation,
  change: ManifestChange,
  edit: FileEdit,
): readonly (PlannedCall | undefined)[] {
  const repository = repositoryIn(situation);
  const subject = change.subject === "" ? edit.path : change.subject;
  const title = `Set ${change.key} of ${subject} to ${edit.value}`;
  const branch = `agent/${slug(`${subject}-${change.key}-${edit.value}`)}`;
  const why = isNamed(change) ? "" : `\n\n${ASSUMED}`;
  const steps = [
    callOf(toolNamed(situation, "create_branch"), { ...repository, branch }),
    callOf(toolNamed(situation, "create_or_update_file"), {
      ...repository,
      path: edit.path,
      content: edit.content,
      message: title,
      branch,
      sha: edit.sha,
    }),
    callOf(toolNamed(situation, "create_pull_request"), {
      ...repository,
      title: oneLine(title, 200),
      body: `Asked for: ${oneLine(situation.question, 500)}${why}\n\n\`\`\`diff\n${edit.diff}\n\`\`\`\n\nTo undo it, revert its one commit.`,
      head: branch,
      base: "main",
      draft: true,
    }),
  ];
  return steps.slice(0, finishedSteps(situation) + 1);
}

/** Steps that went well, counted up to the first that did not: no step follows one that failed. */
function finishedSteps(situation: Situation): number {
  const wellDone = WRITES.map((tool) =>
    answersOf(situation, tool).some(({ failed, text }) => !failed && text !== ""),
  );
  const first = wellDone.indexOf(false);
  return first < 0 ? WRITES.length : first;
}

function slug(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "")
    .slice(0, 60)
    .replace(/-+$/, "");
}
