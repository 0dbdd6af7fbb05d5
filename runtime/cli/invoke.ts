import { text as readAll } from "node:stream/consumers";
import * as z from "zod";
import { AgentCallError, type AgentUpdate, callAgent } from "../a2a/client.ts";
import { type EventBody, type EventOf, type PendingCall, textOf } from "../api/events.ts";
import { parseRef, refKey } from "../api/names.ts";
import { type Connection, connect, unreachable } from "./connection.ts";
import { CommandError, EXIT, print } from "./output.ts";

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
type Options = z.output<typeof Options>;

type Result = Extract<AgentUpdate, { kind: "result" }>;

/** What an invocation came to: the object that `--json` prints (decisions 30). */
interface Report {
  readonly agent: string;
  taskId: string | null;
  contextId: string | null;
  state: string;
  text: string;
  envelope: unknown;
  routing: Omit<EventOf<"routing">, "type"> | null;
  readonly toolCalls: ToolCallReport[];
  usage: unknown;
  pending: readonly PendingCall[];
  error: { readonly code: string; readonly message: string } | null;
}

interface ToolCallReport {
  readonly agent: string;
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  ok: boolean | null;
  ms: number | null;
}

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
  const connection = connect(options.kagentUrl);
  const reader = new Reader(options);
  let told: CommandError | undefined;
  const stop = new AbortController();
  const interrupted = (): void => {
    stop.abort(new CommandError("interrupted; the task was cancelled", EXIT.failed));
  };
  process.once("SIGINT", interrupted);
  try {
    for await (const update of updates(connection, options, task, stop.signal))
      await reader.take(update);
  } catch (error) {
    const failure = translated(error, connection);
    const known = failure instanceof CommandError || failure instanceof AgentCallError;
    if (!options.json || !known) throw failure;
    const code = error instanceof AgentCallError ? error.code : "canceled";
    reader.report.error = { code, message: failure.message };
    if (failure instanceof CommandError) told = failure;
  } finally {
    process.off("SIGINT", interrupted);
  }
  await reader.finish();
  if (told !== undefined) throw told; // the report is out, the remedy is for people
  return exitCode(reader.report.state);
}

function updates(
  connection: Connection,
  options: Options,
  task: string,
  stop: AbortSignal,
): AsyncIterable<AgentUpdate> {
  const { namespace, name } = parseRef(options.agent, options.namespace);
  const path = `${encodeURIComponent(namespace)}/${encodeURIComponent(name)}`;
  return callAgent(
    {
      url: `${connection.url}/api/a2a/${path}/`,
      parts: [{ text: task }],
      metadata: {},
      headers: connection.headers,
      ...(options.session === undefined ? {} : { contextId: options.session }),
    },
    AbortSignal.any([stop, AbortSignal.timeout(options.timeout * 1_000)]),
  );
}

function translated(error: unknown, connection: Connection): unknown {
  if (error instanceof AgentCallError && error.code === "unreachable")
    return unreachable(connection, error);
  if (error instanceof DOMException && error.name === "TimeoutError")
    return new CommandError("gave up waiting (--timeout); the task was cancelled", EXIT.failed);
  return error;
}

function exitCode(state: string): number {
  if (state === "completed") return EXIT.ok;
  return state === "input-required" ? EXIT.waiting : EXIT.failed;
}

/** Collects a call's updates and prints them the way the options ask for. */
class Reader {
  readonly report: Report;
  readonly #options: Options;
  readonly #calls = new Map<string, ToolCallReport>();
  #streamed = "";

  constructor(options: Options) {
    this.#options = options;
    this.report = {
      agent: refKey(parseRef(options.agent, options.namespace)),
      taskId: null,
      contextId: null,
      state: "failed",
      text: "",
      envelope: null,
      routing: null,
      toolCalls: [],
      usage: null,
      pending: [],
      error: null,
    };
  }

  async take(update: AgentUpdate): Promise<void> {
    if (this.#options.stream && this.#options.json) await print(`${JSON.stringify(update)}\n`);
    else if (this.#options.stream) await this.#show(update);
    if (update.kind === "task") {
      this.report.taskId = update.taskId;
      this.report.contextId = update.contextId;
    } else if (update.kind === "activity") this.#note(update.author, update.body);
    else if (update.kind === "result") this.#end(update);
  }

  async finish(): Promise<void> {
    const { report } = this;
    if (this.#options.json) {
      const line = this.#options.stream ? { kind: "report", ...report } : report;
      await print(`${JSON.stringify(line, null, this.#options.stream ? 0 : 2)}\n`);
      return;
    }
    if (!this.#streamed.endsWith(report.text) || report.text === "")
      await print(`${report.text}\n`);
    else await print("\n");
    // A refusal has been told already: it is the answer.
    if (report.error !== null && report.state !== "rejected")
      await complain(`${report.error.code}: ${report.error.message}`);
    if (report.pending.length > 0) await complain(waitingText(report));
  }

  #note(author: string, body: EventBody): void {
    if (body.type === "routing" && this.report.routing === null) {
      const { outcome, rules, agents, matched, scores } = body;
      this.report.routing = { outcome, rules, agents, matched, scores };
    } else if (body.type === "tool-call") {
      const { name, args } = body;
      const call: ToolCallReport = { agent: author, name, args, ok: null, ms: null };
      this.#calls.set(body.callId, call);
      this.report.toolCalls.push(call);
    } else if (body.type === "tool-result") {
      const call = this.#calls.get(body.callId);
      if (call !== undefined) Object.assign(call, { ok: body.ok, ms: body.ms });
    }
  }

  #end(result: Result): void {
    this.report.state = result.state;
    this.report.text = textOf(result.parts);
    this.report.envelope = result.envelope ?? null;
    this.report.usage = result.usage ?? null;
    this.report.pending = result.pending ?? [];
    this.report.error = result.error ?? null;
  }

  async #show(update: AgentUpdate): Promise<void> {
    if (update.kind === "partial" && !update.thought) {
      this.#streamed += update.text;
      await print(update.text);
    } else if (update.kind === "activity") {
      const line = activityLine(update.author, update.body);
      if (line !== undefined) await complain(line);
    }
  }
}

/** Progress goes to standard error: standard output holds the answer alone. */
function complain(line: string): Promise<void> {
  return new Promise((resolve) => {
    process.stderr.write(`${line}\n`, () => {
      resolve();
    });
  });
}

/** A line about what is worth one; the rest is in the answer. */
function activityLine(author: string, body: EventBody): string | undefined {
  if (body.type === "routing")
    return `· ${author}: ${body.outcome} -> ${body.agents.join(", ")} (${words(body)})`;
  if (body.type === "tool-call") return `· ${author}: ${body.name} ${JSON.stringify(body.args)}`;
  if (body.type === "tool-result" && !body.ok)
    return `· ${author}: ${body.name} failed: ${textOf(body.parts)}`;
  if (body.type === "refusal")
    return `· ${author}: refused by layer ${body.layer}, rule ${body.rule}`;
  if (body.type === "limit") return `· ${author}: stopped by ${body.limit} = ${body.value}`;
  return undefined;
}

function words(routing: EventOf<"routing">): string {
  const matched = routing.rules.flatMap((rule) => routing.matched[rule] ?? []);
  return matched.length === 0 ? "no keyword" : matched.join(", ");
}

function waitingText(report: Report): string {
  const calls = report.pending.map(({ kind, name, hint }) =>
    kind === "question" ? `- ${hint}` : `- ${name}: ${hint}`,
  );
  return `Waiting for a person (task ${report.taskId ?? "?"}, session ${report.contextId ?? "?"}):\n${calls.join("\n")}`;
}
