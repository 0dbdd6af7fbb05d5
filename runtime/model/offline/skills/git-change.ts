import { changeWords, requestedChange } from "../change-request.ts";
import { type FileEdit, proposedEdit, requestedEdit } from "../file-edit.ts";
import { callOf, type PlannedCall } from "../known-tool.ts";
import { LABEL_LINE } from "../label.ts";
import { type ManifestChange, placesIn } from "../manifest-edit.ts";
import { type RepositoryFile, readFile } from "../read-file.ts";
import { type Report, report } from "../report.ts";
import { pathIn, repositoryIn } from "../repository.ts";
import { answersOf, hasTools, type Situation, toolNamed } from "../situation.ts";
import type { Skill } from "../skill.ts";
import { oneLine } from "../words.ts";

/** Tools that a change needs, in the order of its steps. */
const WRITES = ["create_branch", "create_or_update_file", "create_pull_request"] as const;

/** Tools that find the file and read it. */
const READS = ["get_file_contents", "search_code"] as const;

/** 3 files are looked at to find the one to change. */
const MAX_FILES = 3;

/**
 * Changes a manifest by a draft pull request: reads the file, then proposes branch, commit and pull request one after
 * the other. Each of the three waits for approval; a refusal of one ends it.
 *
 * What to change is what other agents proposed, where that fits the file as it is, else the one value that the request
 * names.
 */
export const gitChange: Skill = {
  name: "change by pull request",

  score(situation) {
    const { question } = situation;
    if (!hasTools(situation, WRITES, READS)) return 0;
    const words = changeWords(question).length;
    if (proposalIn(situation) !== undefined) return 30 + words;
    return words > 0 && requestedChange(question) !== undefined ? 8 + words : 0;
  },

  plan(situation) {
    const edit = editOf(situation);
    return [...reads(situation), ...(edit === undefined ? [] : writes(situation, edit))];
  },

  report(situation) {
    const edit = editOf(situation);
    return edit === undefined ? nothingDone(situation) : changeReport(situation, edit);
  },
};

function proposalIn({ findings }: Situation) {
  return findings?.data.proposed_change ?? undefined;
}

function nothingDone(situation: Situation): Report {
  const change = requestedChange(situation.question);
  const proposal = proposalIn(situation);
  const subject = change?.subject === "" ? "the object" : (change?.subject ?? "the object");
  const key = change?.key ?? "the value";
  const found = filesOf(situation)
    .map((file) => ({ file, places: change === undefined ? [] : placesIn(file.content, change) }))
    .find(({ places }) => places.length > 0);
  const unfit =
    proposal === undefined
      ? []
      : [`The proposed change of ${proposal.file_path} does not fit the file as it is in Git.`];
  const shared = { operation: "change", severity: "warning" as const, notes: unfit };
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

function changeReport(situation: Situation, edit: FileEdit): Report {
  const done = WRITES.map((tool) => answersOf(situation, tool).at(-1));
  const stopped = done.find((call) => call?.failed === true);
  const pull = done.at(-1);
  const answer = pull === undefined || pull.failed ? "" : pull.text;
  const opened = answer !== "";
  const what = `${edit.what} in ${edit.path}`;
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
      ...(edit.why === "" ? [] : [edit.why]),
      ...(stopped === undefined ? [] : [`It stopped: ${oneLine(stopped.text, 300)}`]),
    ],
    next: opened ? "review the pull request and merge it." : "",
  });
}

/** What was proposed is read first; the repository is searched only once that is known not to fit. */
function reads(situation: Situation): readonly (PlannedCall | undefined)[] {
  const proposal = proposalIn(situation);
  if (proposal === undefined) return searches(situation);
  const proposed = fileCall(situation, proposal.file_path);
  const isRead = answersOf(situation, "get_file_contents").length > 0;
  const fits = filesOf(situation).some((file) => proposedEdit(file, proposal) !== undefined);
  return isRead && !fits ? [proposed, ...searches(situation)] : [proposed];
}

function fileCall(situation: Situation, path: string): PlannedCall | undefined {
  const tool = toolNamed(situation, "get_file_contents");
  return callOf(tool, { ...repositoryIn(situation), path });
}

function searches(situation: Situation): readonly (PlannedCall | undefined)[] {
  const change = requestedChange(situation.question);
  const path = pathIn(situation.question);
  if (change === undefined) return [];
  if (path !== undefined) return [fileCall(situation, path)];
  if (change.subject === "") return [];
  const query = { ...repositoryIn(situation), query: change.subject };
  return [
    callOf(toolNamed(situation, "search_code"), query),
    ...foundPaths(situation, change).map((each) => fileCall(situation, each)),
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

/** The first file that was read and can be changed: as was proposed, else as the request says. */
function editOf(situation: Situation): FileEdit | undefined {
  const files = filesOf(situation);
  const proposal = proposalIn(situation);
  const change = requestedChange(situation.question);
  const proposed = files.map((file) =>
    proposal === undefined ? undefined : proposedEdit(file, proposal),
  );
  const requested = files.map((file) =>
    change === undefined ? undefined : requestedEdit(file, change),
  );
  return [...proposed, ...requested].find((edit) => edit !== undefined);
}

function writes(situation: Situation, edit: FileEdit): readonly (PlannedCall | undefined)[] {
  const repository = repositoryIn(situation);
  const branch = `agent/${slug(edit.topic)}`;
  const steps = [
    callOf(toolNamed(situation, "create_branch"), { ...repository, branch }),
    callOf(toolNamed(situation, "create_or_update_file"), {
      ...repository,
      path: edit.path,
      content: edit.content,
      message: edit.title,
      branch,
      sha: edit.sha,
    }),
    callOf(toolNamed(situation, "create_pull_request"), {
      ...repository,
      title: oneLine(edit.title, 200),
      body: bodyOf(situation, edit),
      head: branch,
      base: "main",
      draft: true,
    }),
  ];
  return steps.slice(0, finishedSteps(situation) + 1);
}

/** What the change is, why, on what evidence, and how to undo it. */
function bodyOf({ question, findings }: Situation, { why, diff }: FileEdit): string {
  const found = findings?.data.issues.map(
    ({ resource_kind: kind, resource_name: name, message }) => `- ${kind} ${name}: ${message}`,
  );
  return [
    `Asked for: ${oneLine(question, 500)}`,
    ...(why === "" ? [] : [why]),
    ...(found === undefined || found.length === 0 ? [] : [`Evidence:\n${found.join("\n")}`]),
    `\`\`\`diff\n${diff}\n\`\`\``,
    "To undo it, revert its one commit.",
    LABEL_LINE,
  ].join("\n\n");
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
