import { open } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import { type Document, parseAllDocuments } from "yaml";
import * as z from "zod";
import { lintManifests, type ManifestFile, manifestDocument } from "../api/rules/manifests.ts";
import { hasErrors, jsonReport, textReport } from "../api/rules/report.ts";
import { CommandError, EXIT, print } from "./output.ts";

const Options = z.object({ json: z.boolean() });
/** 16 MiB for each file: more is no manifest. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/**
 * `kagent lint FILE...`: every rule over the objects of YAML or JSON files, taken as one set.
 *
 * @param files - Paths; `-` is standard input.
 * @returns 0 without errors (warnings do not count), 1 with errors; what is no YAML is one.
 * @throws CommandError `usage` for a file that cannot be read.
 */
export async function lint(files: readonly string[], input: unknown): Promise<number> {
  const options = Options.parse(input);
  const sources = lintManifests(await Promise.all(files.map(readManifests)));
  await print(options.json ? jsonReport(sources) : textReport(sources));
  return hasErrors(sources) ? EXIT.failed : EXIT.ok;
}

async function readManifests(file: string): Promise<ManifestFile> {
  const text = file === "-" ? await readAll(process.stdin) : await readFile(file);
  const documents = parseAllDocuments(text) as readonly Document[];
  return { source: file, documents: documents.map(manifestDocument) };
}

async function readFile(file: string): Promise<string> {
  try {
    await using handle = await open(file);
    const { size } = await handle.stat();
    if (size > MAX_FILE_BYTES) throw new Error(`${size} bytes, at most ${MAX_FILE_BYTES}`);
    return await handle.readFile("utf8");
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new CommandError(`failed to read ${file}: ${why}`, EXIT.usage, { cause: error });
  }
}
