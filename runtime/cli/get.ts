import * as z from "zod";
import { parseRef, refKey } from "../api/names.ts";
import { connect, readApi } from "./connection.ts";
import { byTask, INBOX_HEADER, inboxRow, readInbox, taskNamed } from "./inbox.ts";
import { CommandError, EXIT, print, table } from "./output.ts";
import { waitingText } from "./waiting-text.ts";

const Options = z.object({
  json: z.boolean(),
  namespace: z.string(),
  kagentUrl: z.string().optional(),
});

const Text = z.string().default("");
const Agents = z.array(
  z.object({
    agent: z.object({
      metadata: z.object({ name: z.string(), namespace: z.string() }),
      spec: z.object({ type: Text, description: Text }),
    }),
    model: Text,
    tools: z.array(z.unknown()).default([]),
    accepted: z.boolean(),
    deploymentReady: z.boolean(),
  }),
);
const Models = z.array(
  z.object({ ref: z.string(), spec: z.object({ provider: Text, model: Text }) }),
);
const Servers = z.array(
  z.object({ ref: z.string(), groupKind: Text, discoveredTools: z.array(z.unknown()).default([]) }),
);
const Tools = z.array(z.object({ id: z.string(), server_name: Text, description: Text }));
const Sessions = z.array(
  z.object({ id: z.string(), agent_id: Text, name: Text, updated_at: Text }),
);

interface Listing {
  readonly path: string;
  readonly header: readonly string[];
  rows(data: unknown): readonly (readonly string[])[];
}

/** What waits for people is read by one request of its own. */
const APPROVALS = "approvals";

const yesNo = (value: boolean): string => (value ? "True" : "False");

/** What `kagent get` lists, by kind. */
const LISTINGS: Readonly<Record<string, Listing>> = {
  agents: {
    path: "/api/agents",
    header: ["AGENT", "TYPE", "MODEL", "TOOLS", "ACCEPTED", "READY", "DESCRIPTION"],
    rows: (data) =>
      Agents.parse(data).map(({ agent, model, tools, accepted, deploymentReady }) => [
        refKey(agent.metadata),
        agent.spec.type === "" ? "Declarative" : agent.spec.type,
        model,
        String(tools.length),
        yesNo(accepted),
        yesNo(deploymentReady),
        firstSentence(agent.spec.description),
      ]),
  },
  models: {
    path: "/api/modelconfigs",
    header: ["MODELCONFIG", "PROVIDER", "MODEL"],
    rows: (data) => Models.parse(data).map(({ ref, spec }) => [ref, spec.provider, spec.model]),
  },
  toolservers: {
    path: "/api/toolservers",
    header: ["TOOLSERVER", "KIND", "TOOLS"],
    rows: (data) =>
      Servers.parse(data).map(({ ref, groupKind, discoveredTools }) => [
        ref,
        groupKind,
        String(discoveredTools.length),
      ]),
  },
  tools: {
    path: "/api/tools",
    header: ["TOOL", "SERVER", "DESCRIPTION"],
    rows: (data) =>
      Tools.parse(data).map(({ id, server_name, description }) => [
        id,
        server_name,
        firstSentence(description),
      ]),
  },
  sessions: {
    path: "/api/sessions",
    header: ["SESSION", "AGENT", "NAME", "UPDATED"],
    rows: (data) =>
      Sessions.parse(data).map(({ id, agent_id, name, updated_at }) => [
        id,
        agent_id,
        name,
        updated_at,
      ]),
  },
};

/** `kagent get KIND [NAME]`. @returns The exit code. */
export async function get(kind: string, name: string | undefined, input: unknown): Promise<number> {
  const options = Options.parse(input);
  const plural = kind.endsWith("s") ? kind : `${kind}s`;
  if (plural === APPROVALS) return await getApprovals(name, options);
  const listing = LISTINGS[plural];
  if (listing === undefined)
    throw new CommandError(
      `there is no kind '${kind}'; one of: ${Object.keys(LISTINGS).join(", ")}, ${APPROVALS}`,
      EXIT.usage,
    );
  const data = await readApi(connect(options.kagentUrl), listing.path);
  const key = name === undefined ? undefined : refKey(parseRef(name, options.namespace));
  const all: readonly unknown[] = Array.isArray(data) ? data : [];
  const rows = listing.rows(all);
  const matches = (row: readonly string[] | undefined): boolean =>
    key === undefined || row?.[0] === key || row?.[0] === name;
  const items = all.filter((_, index) => matches(rows[index]));
  if (key !== undefined && items.length === 0)
    throw new CommandError(`there is no ${kind} ${key}`, EXIT.failed);
  if (options.json)
    await print(`${JSON.stringify(key === undefined ? items : items[0], null, 2)}\n`);
  else await print(table(listing.header, rows.filter(matches)));
  return EXIT.ok;
}

/** `kagent get approvals [TASK]`: what waits for a decision; one task with everything there is to see of it. */
async function getApprovals(
  task: string | undefined,
  options: z.output<typeof Options>,
): Promise<number> {
  const entries = await readInbox(connect(options.kagentUrl));
  const one = task === undefined ? undefined : taskNamed(byTask(entries), task);
  const shown = entries.filter(({ taskId }) => one === undefined || taskId === one.taskId);
  if (options.json) await print(`${JSON.stringify(shown, null, 2)}\n`);
  else if (one !== undefined) await print(`${waitingText(one)}\n`);
  else
    await print(
      table(
        INBOX_HEADER,
        shown.map((entry) => inboxRow(entry, Date.now())),
      ),
    );
  return EXIT.ok;
}

/** Longest description in a table. */
const DESCRIPTION_WIDTH = 72;

function firstSentence(text: string): string {
  const sentence = text.trim().split(/(?<=[.!?])\s|\n/, 1)[0] ?? "";
  return sentence.length <= DESCRIPTION_WIDTH
    ? sentence
    : `${sentence.slice(0, DESCRIPTION_WIDTH - 3)}...`;
}
