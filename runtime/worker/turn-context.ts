import type { AgentConfig, ModelSettings, ToolServerSettings } from "../api/agent-config.ts";
import type { Decider } from "../api/approvers.ts";
import type { Envelope } from "../api/envelope.ts";
import type {
  Event,
  EventBody,
  Part,
  PendingCall,
  TaskState,
  TurnError,
  Usage,
} from "../api/events.ts";
import type { ToolDescription } from "../api/tool.ts";
import type { ChatModel } from "../model/chat-model.ts";
import type { EmbeddingModel } from "../model/embedding-model.ts";
import type { Clock } from "../process/clock.ts";
import type { TurnMemories } from "../store/turn-store.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Budget } from "./budget.ts";
import type { TokenRatios } from "./context/token-ratios.ts";

/** What a tool answered. */
export interface ToolAnswer {
  /** False: the tool failed and says why. */
  readonly ok: boolean;
  readonly parts: readonly Part[];
}

/** MCP servers as a turn needs them. */
export interface ToolClient {
  /** Every tool of a server. @throws Error naming the server when it cannot be asked. */
  listTools(
    server: ToolServerSettings,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<readonly ToolDescription[]>;
  /** Calls one tool. @throws Error naming the server when no answer came; else failures are answers. */
  callTool(
    call: {
      readonly server: ToolServerSettings;
      readonly name: string;
      readonly args: Readonly<Record<string, unknown>>;
      readonly headers: Readonly<Record<string, string>>;
    },
    signal: AbortSignal,
  ): Promise<ToolAnswer>;
}

/** A call of another agent. */
export interface AgentCall {
  /** A2A endpoint. */
  readonly url: string;
  readonly parts: readonly Part[];
  readonly contextId: string;
  /** Answers a task of that agent which waits for people. */
  readonly taskId?: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly headers: Readonly<Record<string, string>>;
}

/** What an agent that was called tells, `result` last. */
export type AgentUpdate =
  | { readonly kind: "task"; readonly taskId: string; readonly contextId: string }
  | { readonly kind: "partial"; readonly text: string; readonly thought: boolean }
  | { readonly kind: "activity"; readonly author: string; readonly body: EventBody }
  | {
      readonly kind: "result";
      readonly state: TaskState;
      readonly parts: readonly Part[];
      readonly envelope?: Envelope | undefined;
      readonly usage?: Usage | undefined;
      readonly error?: TurnError | undefined;
      readonly pending?: readonly PendingCall[] | undefined;
    };

/** Other agents as a turn needs them. */
interface AgentClient {
  /**
   * Calls an agent; an abort cancels its task.
   *
   * @throws Error naming the agent when it cannot be reached or breaks the protocol.
   */
  call(call: AgentCall, signal: AbortSignal): AsyncIterable<AgentUpdate>;
  /**
   * Cancels a task of an agent that is not being called: it waits for people.
   *
   * @throws Error naming the agent when it cannot be reached or refuses.
   */
  cancel(
    task: Pick<AgentCall, "url" | "headers"> & { readonly taskId: string },
    signal: AbortSignal,
  ): Promise<void>;
}

/** What turns need from outside. */
export interface TurnDeps {
  /** Model of a configuration. */
  readonly model: (settings: ModelSettings) => Promise<ChatModel>;
  readonly tools: ToolClient;
  readonly agents: AgentClient;
  /** Embedding model of a configuration; without it agents have no long-term memory. */
  readonly embedding?: (settings: ModelSettings) => Promise<EmbeddingModel>;
  /** Long-term memories; without them agents have none. */
  readonly memories?: TurnMemories;
  /** What was measured of the sessions' tokens; without it each turn measures afresh. */
  readonly tokenRatios?: TokenRatios;
  readonly clock: Clock;
  /** Unique ids. */
  readonly newId: () => string;
  /** 0 <= n < 1; spreads retries. */
  readonly random: () => number;
  readonly log: Logger;
}

/** One request to an agent. */
export interface TurnRequest {
  readonly taskId: string;
  readonly contextId: string;
  /** First context of the chain of agents; the own one at the root. */
  readonly rootContextId: string;
  /** On whose behalf. */
  readonly user: string;
  readonly source: "user" | "agent";
  readonly parts: readonly Part[];
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Headers of the request, names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** What `parts` decide about, when they answer a task that waits for people. */
  readonly decision?: {
    /** Position of the request in the log: an answer to another one is void. */
    readonly seq: number;
    /** Who decides; the owner of the task or somebody its agent allows. */
    readonly decider: Decider;
    /** `expire`: the platform says that nobody decided in time. */
    readonly kind: "answer" | "expire";
  };
}

/** Where a turn tells what happens. */
export interface TurnEmitter {
  /**
   * Stores an event; resolves when it is durable.
   *
   * @param id - Unique unless it says what must not happen twice: the store refuses the second one.
   */
  event(body: EventBody, id?: string): Promise<void>;
  /** Shows text on its way. */
  partial(text: string, thought: boolean): void;
  /** Shows an event of a delegate. */
  activity(author: string, body: EventBody): void;
}

/** How a turn ended. */
export interface TurnOutcome {
  readonly state: TaskState;
  readonly usage: Usage;
  readonly error?: TurnError;
}

/** Everything the steps of one turn share. */
export interface Turn {
  readonly deps: TurnDeps;
  readonly config: AgentConfig;
  readonly request: TurnRequest;
  readonly emit: TurnEmitter;
  /** Events of the session so far, those of this turn included, oldest first. */
  readonly history: () => readonly Event[];
  readonly budget: Budget;
  /** Aborts when the caller cancels or the turn's time is up. */
  readonly signal: AbortSignal;
}
