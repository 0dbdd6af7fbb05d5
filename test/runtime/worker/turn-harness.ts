import type { AgentConfig } from "../../../runtime/api/agent-config.ts";
import type { Event, EventBody, Part } from "../../../runtime/api/events.ts";
import { refKey } from "../../../runtime/api/names.ts";
import { silentLog } from "../../../runtime/telemetry/log.ts";
import { runTurn } from "../../../runtime/worker/turn.ts";
import type {
  AgentCall,
  AgentUpdate,
  ToolAnswer,
  ToolClient,
  TurnDeps,
  TurnOutcome,
  TurnRequest,
} from "../../../runtime/worker/turn-context.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import type { ScriptedModel } from "../../support/scripted-model.ts";

type Call = Parameters<ToolClient["callTool"]>[0];

/** MCP servers and agents of a test; records what was asked of them. */
export class Outside {
  readonly calls: Call[] = [];
  readonly agentCalls: AgentCall[] = [];
  /** Tasks of agents that were cancelled while they waited. */
  readonly cancelled: string[] = [];
  tools: readonly string[] = [];
  answer: (call: Call, signal: AbortSignal) => Promise<ToolAnswer> = (call) =>
    Promise.resolve({ ok: true, parts: [{ text: `result of ${call.name}` }] });
  agent: (call: AgentCall) => readonly AgentUpdate[] = () => [];
  listFails: Error | undefined;
  readonly clock = new FakeClock();

  deps(model: ScriptedModel): TurnDeps {
    let ids = 0;
    return {
      model: () => Promise.resolve(model),
      tools: {
        listTools: () =>
          this.listFails === undefined
            ? Promise.resolve(
                this.tools.map((name) => ({
                  name,
                  description: name,
                  inputSchema: { type: "object" },
                })),
              )
            : Promise.reject(this.listFails),
        callTool: (call, signal) => {
          this.calls.push(call);
          return this.answer(call, signal);
        },
      },
      agents: {
        call: async function* (this: Outside, call: AgentCall) {
          this.agentCalls.push(call);
          yield* this.agent(call);
        }.bind(this),
        cancel: (task) => {
          this.cancelled.push(task.taskId);
          return Promise.resolve();
        },
      },
      clock: this.clock,
      newId: () => `id-${++ids}`,
      random: () => 0,
      log: silentLog,
    };
  }
}

/** A session that turns are run in, one after the other. */
export class Conversation {
  readonly events: Event[] = [];
  readonly partials: string[] = [];
  readonly activities: string[] = [];
  readonly outside: Outside;
  readonly config: AgentConfig;
  readonly model: ScriptedModel;

  constructor(config: AgentConfig, model: ScriptedModel, outside = new Outside()) {
    this.config = config;
    this.model = model;
    this.outside = outside;
  }

  /** Bodies of what happened, in order. */
  get bodies(): readonly EventBody[] {
    return this.events.map(({ body }) => body);
  }

  /** Text of the newest message of the agent. */
  get answer(): string {
    const body = this.bodies.findLast((b) => b.type === "message" && b.role === "agent");
    return body?.type === "message"
      ? body.parts.map((p) => ("text" in p ? p.text : "")).join("")
      : "";
  }

  /** Sends a message and runs the turn to its end. */
  async send(
    message: string | readonly Part[],
    over: Partial<TurnRequest> = {},
    signal: AbortSignal = new AbortController().signal,
  ): Promise<TurnOutcome> {
    const parts = typeof message === "string" ? [{ text: message }] : message;
    const request: TurnRequest = {
      taskId: "task",
      contextId: "context",
      rootContextId: "root",
      user: "ana",
      source: "user",
      parts,
      metadata: {},
      headers: {},
      ...over,
    };
    this.#append("user", request.taskId, { type: "message", role: "user", parts: [...parts] });
    const outcome = await runTurn(
      this.outside.deps(this.model),
      {
        config: this.config,
        request,
        history: () => this.events,
        emit: {
          event: (body) => {
            this.#append(refKey(this.config.ref), request.taskId, body);
            return Promise.resolve();
          },
          partial: (text) => this.partials.push(text),
          activity: (author, body) => this.activities.push(`${author} ${body.type}`),
        },
      },
      signal,
    );
    this.#append(refKey(this.config.ref), request.taskId, { type: "status", state: outcome.state });
    return outcome;
  }

  #append(author: string, taskId: string, body: EventBody): void {
    const seq = this.events.length + 1;
    const time = "2026-01-01T00:00:00Z";
    this.events.push({ seq, id: String(seq), time, contextId: "context", taskId, author, body });
  }
}
