import type { AgentUpdate } from "../a2a/client.ts";
import { type EventBody, type EventOf, type PendingCall, textOf } from "../api/events.ts";
import { type ObjectRef, refKey } from "../api/names.ts";
import { complain, EXIT, print } from "./output.ts";
import { waitingText } from "./waiting-text.ts";

type Result = Extract<AgentUpdate, { kind: "result" }>;

/** What an invocation came to: the object that `--json` prints (decisions 30). */
export interface Report {
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

/** Collects a call's updates and prints them the way the options ask for. */
export class CallReader {
  readonly report: Report;
  readonly #options: { readonly stream: boolean; readonly json: boolean };
  readonly #calls = new Map<string, ToolCallReport>();
  #streamed = "";
  /** What went wrong without ending the task, such as a void decision. */
  #lastError: Report["error"] = null;

  constructor(agent: ObjectRef, options: { readonly stream: boolean; readonly json: boolean }) {
    this.#options = options;
    this.report = {
      agent: refKey(agent),
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

  /** Whether the report is printed as JSON. */
  get json(): boolean {
    return this.#options.json;
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
    if (report.text !== "" && !this.#streamed.endsWith(report.text))
      await print(`${report.text}\n`);
    else if (this.#streamed !== "") await print("\n");
    // A refusal has been told already: it is the answer.
    if (report.error !== null && report.state !== "rejected")
      await complain(`${report.error.code}: ${report.error.message}`);
    if (report.pending.length > 0) await complain(waitingText(report));
    else if (report.state === "input-required")
      await complain("The task waits for people again: kagent get approvals");
  }

  #note(author: string, body: EventBody): void {
    if (body.type === "error") this.#lastError = body.error;
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
    this.report.error =
      result.error ?? (result.state === "input-required" ? this.#lastError : null);
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

/** A line about what is worth one; the rest is in the answer. */
function activityLine(author: string, body: EventBody): string | undefined {
  if (body.type === "routing")
    return `· ${author}: ${body.outcome} -> ${body.agents.join(", ")} (${words(body)})`;
  if (body.type === "tool-call") return `· ${author}: ${body.name} ${JSON.stringify(body.args)}`;
  if (body.type === "tool-result" && !body.ok)
    return `· ${author}: ${body.name} failed: ${textOf(body.parts)}`;
  if (body.type === "refusal")
    return `· ${author}: refused by layer ${body.layer}, rule ${body.rule}`;
  if (body.type === "handoff") return `· ${author}: hands over to ${body.agent} (${body.when})`;
  if (body.type === "limit") return `· ${author}: stopped by ${body.limit} = ${body.value}`;
  return undefined;
}

function words(routing: EventOf<"routing">): string {
  const matched = routing.rules.flatMap((rule) => routing.matched[rule] ?? []);
  return matched.length === 0 ? "no keyword" : matched.join(", ");
}

/** Exit code of a call that came to its end (decisions 30). */
export function exitCode({ state, error }: Pick<Report, "state" | "error">): number {
  if (state === "completed") return EXIT.ok;
  return state === "input-required" && error === null ? EXIT.waiting : EXIT.failed;
}
