import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";
import * as z from "zod";
import { type RunFile, readRunFile } from "../local/run-file.ts";
import { discoverOllama } from "../model/discover-ollama.ts";
import { type Connection, connect, DATA_DIRECTORY, readApi } from "./connection.ts";
import { readInbox } from "./inbox.ts";
import { EXIT, print } from "./output.ts";
import { readVersion } from "./package-version.ts";

const Options = z.object({ json: z.boolean(), kagentUrl: z.string().optional() });

/** Longest wait for a listener and for a command. */
const PROBE_MS = 3_000;

/** What one look found. */
interface Finding {
  readonly check: string;
  readonly result: "ok" | "warning" | "failure";
  /** What is there, or is not. */
  readonly detail: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/**
 * `kagent doctor`: looks at everything the command and the platform need, and says what to do about the rest.
 *
 * @returns 0 without failures, 3 when no platform answers, 1 otherwise.
 */
export async function doctor(input: unknown): Promise<number> {
  const options = Options.parse(input);
  const connection = connect(options.kagentUrl);
  const run = options.kagentUrl === undefined ? readRunFile(resolve(DATA_DIRECTORY)) : undefined;
  const platform = await platformVersion(connection);
  const asked = platform.result === "failure" ? [] : [whoAmI, agents, toolServers, approvals];
  const [answers, local] = await Promise.all([
    Promise.all(asked.map((check) => guarded(check, connection))),
    run === undefined ? [] : Promise.all([gateways(run), model(), git()]),
  ]);
  const findings = [node(), platform, ...answers, ...local.flat()];
  if (options.json) await print(`${JSON.stringify({ findings }, null, 2)}\n`);
  else await print(findings.map(line).join(""));
  if (platform.result === "failure") return EXIT.unreachable;
  return findings.some(({ result }) => result === "failure") ? EXIT.failed : EXIT.ok;
}

const MARKS = { ok: "ok     ", warning: "warning", failure: "FAILED " } as const;

function line({ check, result, detail, remedy }: Finding): string {
  const action = remedy === undefined ? "" : `          -> ${remedy}\n`;
  return `${MARKS[result]}   ${check.padEnd(14)} ${detail}\n${action}`;
}

type Check = (connection: Connection) => Promise<Finding>;

/** A look that fails itself is a finding. */
async function guarded(check: Check, connection: Connection): Promise<Finding> {
  try {
    return await check(connection);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const remedy = "the log of the platform says more; the versions may not fit";
    return { check: check.name, result: "failure", detail, remedy };
  }
}

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  const fits = major > 22 || (major === 22 && minor >= 19);
  const found = { check: "node", detail: process.versions.node };
  return fits
    ? { ...found, result: "ok" }
    : {
        ...found,
        result: "failure",
        remedy: "the platform needs Node 22.19; 'npm ci' installs one",
      };
}

const Version = z.object({ kagent_version: z.string() });

async function platformVersion(connection: Connection): Promise<Finding> {
  const check = "platform";
  const { url } = connection;
  try {
    const { kagent_version: server } = Version.parse(await readApi(connection, "/version"));
    const client = readVersion();
    if (server === client) return { check, result: "ok", detail: `${url}, version ${server}` };
    const detail = `${url}, version ${server}; this command is ${client}`;
    return { check, result: "warning", detail, remedy: "use the command of the same version" };
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const remedy = "start one with 'npm start', or name one with --kagent-url";
    return { check, result: "failure", detail, remedy };
  }
}

const Me = z.object({ sub: z.string() });

async function whoAmI(connection: Connection): Promise<Finding> {
  const { sub } = Me.parse(await readApi(connection, "/api/me"));
  return { check: "user", result: "ok", detail: sub };
}

const Agents = z.array(
  z.object({
    agent: z.object({ metadata: z.object({ name: z.string() }) }),
    accepted: z.boolean(),
  }),
);

async function agents(connection: Connection): Promise<Finding> {
  const check = "agents";
  const all = Agents.parse(await readApi(connection, "/api/agents"));
  const broken = all.filter(({ accepted }) => !accepted).map(({ agent }) => agent.metadata.name);
  const detail = `${all.length - broken.length} of ${all.length} accepted`;
  if (all.length === 0)
    return {
      check,
      result: "warning",
      detail: "none",
      remedy: "apply some, or look at --namespace",
    };
  if (broken.length === 0) return { check, result: "ok", detail };
  const remedy = `'kagent get agents ${broken[0] ?? ""} --json' says why ${broken.join(", ")} are not`;
  return { check, result: "failure", detail, remedy };
}

const Servers = z.array(
  z.object({ ref: z.string(), discoveredTools: z.array(z.unknown()).default([]) }),
);

async function toolServers(connection: Connection): Promise<Finding> {
  const check = "tool servers";
  const all = Servers.parse(await readApi(connection, "/api/toolservers"));
  const silent = all.filter(({ discoveredTools }) => discoveredTools.length === 0);
  const tools = all.reduce((sum, { discoveredTools }) => sum + discoveredTools.length, 0);
  const detail = `${all.length - silent.length} of ${all.length} answer, ${tools} tools`;
  if (silent.length === 0) return { check, result: "ok", detail };
  const names = silent.map(({ ref }) => ref).join(", ");
  const remedy = `no tools of ${names}: look at their address, network and credentials`;
  return { check, result: "failure", detail, remedy };
}

async function approvals(connection: Connection): Promise<Finding> {
  const waiting = (await readInbox(connection)).filter(({ mayDecide }) => mayDecide).length;
  const detail = waiting === 0 ? "none wait for you" : `${waiting} wait for you`;
  const found = { check: "approvals", result: "ok", detail } as const;
  return waiting === 0 ? found : { ...found, remedy: "kagent get approvals" };
}

async function gateways(run: RunFile): Promise<readonly Finding[]> {
  const urls = {
    mcp: run.mcpUrl,
    "tool gateway": run.toolGatewayUrl,
    "a2a gateway": run.agentGatewayUrl,
  };
  return await Promise.all(
    Object.entries(urls).map(async ([check, url]): Promise<Finding> => {
      try {
        const response = await fetch(url, { signal: AbortSignal.timeout(PROBE_MS) });
        await response.body?.cancel();
        return { check, result: "ok", detail: url };
      } catch {
        const remedy = "restart the platform; its log says why this part ended";
        return { check, result: "failure", detail: `${url} does not answer`, remedy };
      }
    }),
  );
}

/** The model of a local run; without one it answers by rules, labelled as such. */
async function model(): Promise<Finding> {
  const check = "model";
  const remedy = "start Ollama and run 'ollama pull qwen2.5:14b' for a real model, then restart";
  try {
    const late = AbortSignal.timeout(PROBE_MS);
    const host = process.env["OLLAMA_HOST"];
    const found = await discoverOllama(host === "" ? undefined : host, {}, late);
    const { chosen, pull, version } = found;
    if (chosen !== undefined)
      return { check, result: "ok", detail: `Ollama ${version} at ${found.host}: ${chosen.name}` };
    const detail = `Ollama at ${found.host} has no model that can call tools`;
    return { check, result: "warning", detail, remedy: pull ?? remedy };
  } catch {
    const detail = "no Ollama answers: the offline stand-in is used";
    return { check, result: "warning", detail, remedy };
  }
}

/** The laptop's repository is Git's own. */
async function git(): Promise<Finding> {
  const check = "git";
  try {
    const { stdout } = await promisify(execFile)("git", ["--version"], { timeout: PROBE_MS });
    return { check, result: "ok", detail: stdout.trim().replace(/^git version /, "") };
  } catch {
    const remedy = "install git: git-agent's tools work on a local repository";
    return { check, result: "failure", detail: "not found", remedy };
  }
}
