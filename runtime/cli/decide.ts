import * as z from "zod";
import { CallReader, exitCode, type Report } from "./call-report.ts";
import { type Connection, connect } from "./connection.ts";
import { follow } from "./follow-call.ts";
import { byTask, readInbox, taskNamed, type WaitingTask } from "./inbox.ts";
import { CommandError, complain, EXIT, print } from "./output.ts";

const Options = z.object({
  all: z.boolean().default(false),
  reason: z.string().max(2_000, "--reason: at most 2000 characters").optional(),
  edit: z.array(z.string()).default([]),
  answer: z.array(z.string()).default([]),
  json: z.boolean(),
  timeout: z.string().regex(/^\d+$/, "--timeout: whole seconds").transform(Number),
  kagentUrl: z.string().optional(),
});
type Options = z.output<typeof Options>;

/** What a person says about calls that wait. */
type Verb = "approve" | "reject";
type Arguments = Readonly<Record<string, unknown>>;

/**
 * `kagent approve|reject TASK|--all`: decides about every call of a task that waits, by its id, so that what nobody
 * has seen is not decided on. Then tells how the turn goes on.
 *
 * @returns As `kagent invoke`; of several tasks the worst.
 * @throws CommandError for bad options (2), a platform that does not answer (3), a task that does not wait (1).
 */
export async function decide(
  verb: Verb,
  task: string | undefined,
  input: unknown,
): Promise<number> {
  const options = optionsOf(input);
  const edits = new Map(options.edit.map(editOf));
  if ((task === undefined) !== options.all)
    throw new CommandError(`name a task, or give --all: kagent ${verb} TASK`, EXIT.usage);
  const connection = connect(options.kagentUrl);
  const waiting = byTask(await readInbox(connection));
  const chosen =
    task === undefined ? waiting.filter(({ mayDecide }) => mayDecide) : [taskNamed(waiting, task)];
  const messages = chosen.map((one) => ({ one, data: decision(verb, one, { options, edits }) }));
  const known = new Set(chosen.flatMap(({ pending }) => pending.map(({ callId }) => callId)));
  const stray = [...edits.keys()].find((callId) => !known.has(callId));
  if (stray !== undefined)
    throw new CommandError(`--edit: no call ${stray} waits there`, EXIT.usage);
  if (messages.length === 0) await complain("Nothing waits for you.");
  const reports: Report[] = [];
  let code: number = EXIT.ok;
  for (const { one, data } of messages) {
    const report = await send(connection, one, { data, options });
    reports.push(report);
    code = Math.max(code, exitCode(report));
  }
  if (options.json) await print(`${JSON.stringify(options.all ? reports : reports[0], null, 2)}\n`);
  return code;
}

function optionsOf(input: unknown): Options {
  const parsed = Options.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new CommandError(parsed.error.issues.map(({ message }) => message).join("; "), EXIT.usage);
}

/** `CALL_ID={...}`. @throws CommandError */
function editOf(text: string): readonly [string, Arguments] {
  const at = text.indexOf("=");
  const parsed = JsonObject.safeParse(text.slice(at + 1));
  if (at <= 0 || !parsed.success)
    throw new CommandError(
      `--edit: CALL_ID={...} with all arguments as JSON, not ${text.slice(0, 80)}`,
      EXIT.usage,
    );
  return [text.slice(0, at), parsed.data];
}

const JsonObject = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue({ code: "custom", message: "no JSON" });
      return z.NEVER;
    }
  })
  .pipe(z.record(z.string(), z.unknown()));

/** The answer to a task in the form that agents take it (kagent-api section 3.3). @throws CommandError */
function decision(
  verb: Verb,
  { taskId, pending }: WaitingTask,
  given: { readonly options: Options; readonly edits: ReadonlyMap<string, Arguments> },
): object {
  const { reason, answer } = given.options;
  if (verb === "reject")
    return {
      decision_type: "reject",
      ...(reason === undefined ? {} : { rejection_reason: reason }),
    };
  if (pending.some(({ kind }) => kind === "question")) {
    if (answer.length > 0)
      return {
        decision_type: "approve",
        ask_user_answers: answer.map((words) => ({ answer: [words] })),
      };
    throw new CommandError(
      `task ${taskId} asks a question: give --answer once for each`,
      EXIT.usage,
    );
  }
  const ids = pending.map(({ callId }) => callId);
  const edited = ids.flatMap((id) => {
    const args = given.edits.get(id);
    return args === undefined ? [] : [[id, args] as const];
  });
  return {
    decision_type: "batch",
    decisions: Object.fromEntries(ids.map((id) => [id, "approve"])),
    ...(edited.length === 0 ? {} : { edited_args: Object.fromEntries(edited) }),
  };
}

async function send(
  connection: Connection,
  { agent, taskId, contextId }: WaitingTask,
  { data, options }: { readonly data: object; readonly options: Options },
): Promise<Report> {
  const reader = new CallReader(agent, { stream: false, json: options.json });
  const told = await follow(reader, {
    connection,
    agent,
    parts: [{ data }],
    taskId,
    contextId,
    timeoutMs: options.timeout * 1_000,
    onStop: "leave",
  });
  if (!options.json) {
    await complain(`task ${taskId}: ${reader.report.state}`);
    await reader.finish();
  }
  if (told !== undefined) throw told;
  return reader.report;
}
