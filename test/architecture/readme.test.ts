import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "mocha";
import * as z from "zod";
import { controllerSettings } from "../../runtime/controller/role/settings.ts";
import { localEnvironment } from "../../runtime/local/environment.ts";
import { METRICS } from "../../runtime/telemetry/metric-catalogue.ts";
import { startTracing } from "../../runtime/telemetry/otel.ts";
import { workerSettings } from "../../runtime/worker/role/settings.ts";

type Variables = Readonly<Record<string, string | undefined>>;

const README = readFileSync("README.md", "utf8");
/** What npm and the system set for every program; nobody chooses it. */
const GIVEN = ["PATH", "npm_lifecycle_event"];

/** Rows of the tables between a heading of the README and the next one, as the texts of their cells. */
function rows(heading: string): readonly (readonly string[])[] {
  const sections = README.split(/^#{2,3} /m);
  const section = sections.find((text) => text.startsWith(`${heading}\n`));
  assert.ok(section !== undefined, `README has no section "${heading}"`);
  return section
    .split("\n")
    .filter((line) => line.startsWith("|"))
    .map((line) => line.split(/(?<!\\)\|/).map((cell) => cell.trim()))
    .map((cells) => cells.slice(1, -1));
}

/** The words of a cell that are set as code. */
function codes(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
}

/** Names of variables that `read` asks its environment for, whether it can do without them or not. */
async function asked(read: (variables: Variables) => unknown): Promise<readonly string[]> {
  const names = new Set<string>();
  const note = (name: string | symbol): void => {
    if (typeof name === "string") names.add(name);
  };
  const nothing: Variables = {};
  const variables = new Proxy(nothing, {
    get(_, name) {
      note(name);
      return undefined;
    },
    has(_, name) {
      note(name);
      return false;
    },
  });
  try {
    await read(variables);
  } catch (error) {
    // a variable that must be set: all have been asked for by then
    if (!(error instanceof Error && error.name === "SettingsError")) throw error;
  }
  return [...names].filter((name) => !GIVEN.includes(name)).sort();
}

/** Variables that the tables below a heading have a row for. */
function documented(heading: string): readonly string[] {
  const names = rows(heading).flatMap(([name = ""]) => codes(name));
  return names.filter((name) => /^[A-Z][A-Z0-9_]+$/.test(name)).sort();
}

describe("README", () => {
  it("lists the metrics that the roles export, with their types and labels", () => {
    const listed = rows("Metrics and traces")
      .filter(([name = ""]) => name.startsWith("`kagent_"))
      .map(([name = "", type = "", labels = ""]) => [codes(name)[0], type, codes(labels)]);
    const exported = Object.entries(METRICS).map(([name, { type, labels }]) => [
      name,
      type,
      [...labels],
    ]);
    assert.deepEqual(listed, exported);
  });

  const READERS: readonly {
    readonly who: string;
    readonly read: (variables: Variables) => unknown;
    readonly heading: string;
    /** Read by another program that stands below the same heading. */
    readonly beside?: readonly string[];
  }[] = [
    { who: "the controller", read: controllerSettings, heading: "Environment of the controller" },
    {
      who: "a worker",
      read: (variables) => workerSettings([], variables),
      heading: "Environment of a worker",
    },
    {
      who: "tracing",
      read: (variables) => startTracing("kagent", variables),
      heading: "Metrics and traces",
    },
    {
      who: "a local run",
      read: localEnvironment,
      heading: "Run it",
      beside: ["KAGENT_URL", "KAGENT_TOKEN"],
    },
  ];
  for (const { who, read, heading, beside = [] } of READERS)
    it(`has a row for every variable that ${who} reads, and for no other`, async () => {
      assert.deepEqual(documented(heading), [...(await asked(read)), ...beside].sort());
    });

  it("names every script of package.json", () => {
    const { scripts } = z
      .object({ scripts: z.record(z.string(), z.string()) })
      .parse(JSON.parse(readFileSync("package.json", "utf8")));
    const missing = Object.keys(scripts).filter(
      (name) => !new RegExp(`npm (run )?${name}(?![\\w:-])`).test(README),
    );
    assert.deepEqual(missing, []);
  });
});
