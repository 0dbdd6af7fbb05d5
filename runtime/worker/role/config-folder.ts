import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { join } from "node:path";

/** 1 MiB per file: a Secret holds no more. */
const MAX_FILE_BYTES = 1_048_576;
/** 20,000 files: far above what the Secrets of a pool hold. */
const MAX_FILES = 20_000;
/** Tries when the kubelet swaps the files while they are read. */
const TRIES = 3;

/** A folder cannot be read as one of agents. */
export class ConfigFolderError extends Error {
  override readonly name = "ConfigFolderError";
}

/** The files of a folder at one moment. */
export interface FolderContent {
  /** Text by name. */
  readonly files: Readonly<Record<string, string>>;
  /** Changes whenever a file does. */
  readonly revision: string;
}

/**
 * Reads the files of a folder; those of a mounted Secret are all of one version.
 *
 * The kubelet keeps the files in a folder of its own behind the link `..data` and swaps that link: whoever reads behind
 * it never sees half of a change.
 *
 * @param known - Revision that was read before.
 * @returns `undefined` when it is still that one.
 * @throws ConfigFolderError
 */
export async function readConfigFolder(
  path: string,
  known?: string,
): Promise<FolderContent | undefined> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await readOnce(path, known);
    } catch (error) {
      const swapped = (error as NodeJS.ErrnoException).code === "ENOENT" && tries < TRIES;
      if (swapped) continue;
      if (error instanceof ConfigFolderError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      throw new ConfigFolderError(`failed to read the folder ${path}: ${reason}`, { cause: error });
    }
  }
}

async function readOnce(
  path: string,
  known: string | undefined,
): Promise<FolderContent | undefined> {
  const version = await realpath(join(path, "..data")).catch(() => undefined);
  if (version !== undefined && version === known) return undefined; // no file of a version ever changes
  const folder = version ?? path;
  const names = (await readdir(folder)).filter((name) => !name.startsWith(".")).sort();
  if (names.length > MAX_FILES)
    throw new ConfigFolderError(`failed to read the folder ${path}: more than ${MAX_FILES} files`);
  const marks = await Promise.all(names.map((name) => markOf(folder, name)));
  const revision = version ?? marks.join("\n");
  if (revision === known) return undefined;
  const files: Record<string, string> = {};
  for (const [index, name] of names.entries())
    if (marks[index] !== undefined) files[name] = await readFile(join(folder, name), "utf8");
  return { files, revision };
}

/** What changes with a file; `undefined` for what is none. */
async function markOf(folder: string, name: string): Promise<string | undefined> {
  const { mtimeMs, size, ino, isFile } = await statOf(join(folder, name));
  if (!isFile) return undefined;
  if (size > MAX_FILE_BYTES)
    throw new ConfigFolderError(`failed to read ${name}: larger than ${MAX_FILE_BYTES} bytes`);
  return `${name} ${mtimeMs} ${size} ${ino}`;
}

async function statOf(path: string) {
  const found = await stat(path);
  const { mtimeMs, size, ino } = found;
  return { mtimeMs, size, ino, isFile: found.isFile() };
}
