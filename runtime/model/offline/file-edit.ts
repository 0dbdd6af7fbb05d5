import type { EnvelopeAnswer } from "../../api/envelope.ts";
import { ASSUMED, isNamed } from "./change-request.ts";
import { editManifest, type ManifestChange } from "./manifest-edit.ts";
import { applyPatch } from "./manifest-patch.ts";
import type { RepositoryFile } from "./read-file.ts";

/** A change that another agent proposed. */
type Proposal = NonNullable<EnvelopeAnswer["data"]["proposed_change"]>;

/** A file of the repository with its new content, and how the change is called. */
export interface FileEdit extends RepositoryFile {
  readonly diff: string;
  /** What is set to what, e.g. `replicas to 5`. */
  readonly what: string;
  /** In one line, for commit and pull request. */
  readonly title: string;
  /** What the branch is named after. */
  readonly topic: string;
  /** Where value and reason come from; empty where the request says all of it. */
  readonly why: string;
}

/** The file after the change that a request asks for; `undefined` where it has nothing of the kind. */
export function requestedEdit(file: RepositoryFile, change: ManifestChange): FileEdit | undefined {
  const edited = editManifest(file.content, change);
  if (edited === undefined) return undefined;
  const { key, subject } = change;
  const { value } = edited;
  const object = subject === "" ? file.path : subject;
  return {
    ...file,
    content: edited.content,
    diff: edited.diff,
    what: `${key} to ${value}`,
    title: `Set ${key} of ${object} to ${value}`,
    topic: `${object}-${key}-${value}`,
    why: isNamed(change) ? "" : ASSUMED,
  };
}

/** The file after a change that was proposed for it; `undefined` where that does not fit the file as it is. */
export function proposedEdit(file: RepositoryFile, proposal: Proposal): FileEdit | undefined {
  if (file.path !== proposal.file_path) return undefined;
  const patched = applyPatch(file.content, proposal.yaml_diff);
  if (patched === undefined) return undefined;
  const settings = patched.settings.map((line) => line.replaceAll(/["']/g, "")).join(", ");
  const object = file.path.split("/").at(-2) ?? file.path;
  return {
    ...file,
    content: patched.content,
    diff: proposal.yaml_diff,
    what: settings,
    title: `Set ${settings} of ${object}`,
    topic: `${object}-${settings}`,
    why: proposal.rationale,
  };
}
