import { text as readAll } from "node:stream/consumers";
import * as z from "zod";
import { parseRef } from "../api/names.ts";
import { CallReader, exitCode } from "./call-report.ts";
import { connect } from "./connection.ts";
import { follow } from "./follow-call.ts";
import { CommandError, EXIT } from "./output.ts";

const Options = z.object({
  agent: z.string().min(1),
  task: z.string(),
  session: z.string().optional(),
  stream: z.boolean(),
  json: z.boolean(),
  timeout: z.string().regex(/^\d+$/, "--timeout: whole seconds").transform(Number),
  namespace: z.string(),
  kagentUrl: z.string().optional(),
});

/**
 * `kagent invoke`: asks an agent over A2A and prints what comes back.
 *
 * @returns 0 completed, 1 failed or refused, 4 waiting for a person.
 * @throws CommandError for bad options (2) and a platform that does not answer (3).
 */
export async function invoke(input: unknown): Promise<number> {
  const parsed = Options.safeParse(input);
  if (!parsed.success)
    throw new CommandError(
      parsed.error.issues.map(({ message }) => message).join("; "),
      EXIT.usage,
    );
  const options = parsed.data;
  const task = options.task === "-" ? await readAll(process.stdin) : options.task;
  if (task.trim() === "") throw new CommandError("--task: nothing to ask", EXIT.usage);
  const agent = parseRef(options.agent, options.namespace);
  const reader = new CallReader(agent, options);
  const told = await follow(reader, {
    connection: connect(options.kagentUrl),
    agent,
    parts: [{ text: task }],
    timeoutMs: options.timeout * 1_000,
    onStop: "cancel",
    ...(options.session === undefined ? {} : { contextId: options.session }),
  });
  await reader.finish();
  if (told !== undefined) throw told; // the report is out, the remedy is for people
  return exitCode(reader.report);
}
