import { readdirSync, readFileSync, statSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Document, parseAllDocuments } from "yaml";
import { sentence } from "../../runtime/api/checked.ts";
import { lintSources } from "../../runtime/api/rules/lint.ts";
import {
  lintManifests,
  type ManifestFile,
  manifestDocument,
} from "../../runtime/api/rules/manifests.ts";
import {
  hasErrors,
  jsonReport,
  type LintedSource,
  textReport,
} from "../../runtime/api/rules/report.ts";
import { ROOT, stackFile } from "./stack-file.ts";

/** 16 MiB for each file: more is no manifest. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

const USAGE = `Usage: npm run lint:agents [-- [--json] [FILE...]]

Checks agents, models and tool servers by every rule, before any engine runs: the definitions of every
stack (Pulumi.<stack>.yaml), or the objects of the YAML or JSON files given, as one set.

  --json   prints one JSON document instead of a line for each finding
  --help   prints this

Exit code: 0 without errors (warnings do not count), 1 with errors, 2 for a wrong call.
`;

/** Findings about every stack, each a set of its own. */
async function lintStacks(): Promise<readonly LintedSource[]> {
  const [{ definitions }, { checkConfig }] = await Promise.all([
    import("../agents/index.ts"),
    import("../config.ts"),
  ]);
  return stackNames().flatMap((stack) => {
    const config = checkConfig(stackValues(stack));
    if (!config.ok)
      throw new Error(`failed to read Pulumi.${stack}.yaml: ${sentence(config.violations)}`);
    const { clusters, namespace } = config.value;
    return lintSources([{ source: stack, objects: definitions(config.value) }], {
      namespace,
      clusters: clusters.map(({ name }) => name),
    });
  });
}

function stackNames(): readonly string[] {
  return readdirSync(ROOT)
    .flatMap((file) => /^Pulumi\.([\w-]+)\.yaml$/.exec(file)?.[1] ?? [])
    .sort();
}

/** The project's own keys of a stack file, without their prefix. */
function stackValues(stack: string): Readonly<Record<string, unknown>> {
  const prefix = "kagent:";
  return Object.fromEntries(
    Object.entries(stackFile(stack)).flatMap(([key, value]): [string, unknown][] =>
      key.startsWith(prefix) ? [[key.slice(prefix.length), value]] : [],
    ),
  );
}

function readManifests(file: string): ManifestFile {
  const { size } = statSync(file);
  if (size > MAX_FILE_BYTES)
    return { source: file, documents: [{ problem: `${size} bytes, at most ${MAX_FILE_BYTES}` }] };
  const documents = parseAllDocuments(readFileSync(file, "utf8")) as readonly Document[];
  return { source: file, documents: documents.map(manifestDocument) };
}

async function main(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { json: { type: "boolean" }, help: { type: "boolean", short: "h" } },
    allowPositionals: true,
  });
  if (values.help === true) {
    process.stdout.write(USAGE);
    return 0;
  }
  const sources =
    positionals.length === 0 ? await lintStacks() : lintManifests(positionals.map(readManifests));
  process.stdout.write(values.json === true ? jsonReport(sources) : textReport(sources));
  return hasErrors(sources) ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  const wrongCall = error instanceof TypeError && "code" in error;
  process.stderr.write(wrongCall ? `${message}\n${USAGE}` : `${message}\n`);
  process.exitCode = wrongCall ? 2 : 1;
}
