import * as z from "zod";
import { A2aClient, AgentCallError } from "../a2a/client.ts";
import { META, type ObjectRef, parseRef, refKey } from "../api/names.ts";
import { systemClock } from "../process/clock.ts";
import { silentLog } from "../telemetry/log.ts";
import { agentUrl, type Connection, connect, readApi, unreachable } from "./connection.ts";
import { CommandError, complain, EXIT, print } from "./output.ts";

const Options = z.object({
  all: z.boolean().default(false),
  json: z.boolean(),
  kagentUrl: z.string().optional(),
});
/** 10 s for a task to end; it does within one. */
const CANCEL_MS = 10_000;
/** States in which there is something to cancel, as A2A 0.3 spells them. */
const OPEN: readonly string[] = ["submitted", "working", "input-required"];

const Task = z.object({
  id: z.string(),
  status: z.object({ state: z.string() }),
  metadata: z.object({ [META.author]: z.string() }),
});
type Task = z.output<typeof Task>;
const Sessions = z.array(z.object({ id: z.string() }));

/**
 * `kagent cancel TASK|--all`: ends a task, with the tools, the model and the agents at work for it.
 *
 * @returns 0 when every task ended.
 * @throws CommandError for bad options (2), a platform that does not answer (3), a task that is not there or over (1).
 */
export async function cancel(id: string | undefined, input: unknown): Promise<number> {
  const options = Options.parse(input);
  if ((id === undefined) !== options.all)
    throw new CommandError("name a task, or give --all: kagent cancel TASK", EXIT.usage);
  const connection = connect(options.kagentUrl);
  const tasks = id === undefined ? await openTasks(connection) : [await taskOf(connection, id)];
  if (tasks.length === 0) await complain("No task of yours is open.");
  const results = [];
  for (const task of tasks) {
    await cancelOne(connection, task);
    results.push({ taskId: task.id, agent: refKey(agentOf(task)), state: "canceled" });
    if (!options.json) await print(`task ${task.id}: canceled\n`);
  }
  if (options.json) await print(`${JSON.stringify(options.all ? results : results[0], null, 2)}\n`);
  return EXIT.ok;
}

async function taskOf(connection: Connection, id: string): Promise<Task> {
  return Task.parse(await readApi(connection, `/api/tasks/${encodeURIComponent(id)}`));
}

/** Tasks of the caller's sessions that are not over. */
async function openTasks(connection: Connection): Promise<readonly Task[]> {
  const sessions = Sessions.parse(await readApi(connection, "/api/sessions"));
  const tasks = await Promise.all(
    sessions.map(async ({ id }) =>
      z
        .array(Task)
        .parse(await readApi(connection, `/api/sessions/${encodeURIComponent(id)}/tasks`)),
    ),
  );
  return tasks.flat().filter(({ status }) => OPEN.includes(status.state));
}

function agentOf({ metadata }: Task): ObjectRef {
  return parseRef(metadata[META.author]);
}

async function cancelOne(connection: Connection, task: Task): Promise<void> {
  const client = new A2aClient({ clock: systemClock, log: silentLog });
  const { headers } = connection;
  const call = { url: agentUrl(connection, agentOf(task)), headers, taskId: task.id };
  try {
    await client.cancel(call, AbortSignal.timeout(CANCEL_MS));
  } catch (error) {
    if (error instanceof AgentCallError && error.code === "unreachable")
      throw unreachable(connection, error);
    throw error;
  }
}
