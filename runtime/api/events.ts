import * as z from "zod";

const Metadata = z.record(z.string(), z.unknown());

/** A piece of a message, in the JSON form of A2A 1.0 (specification section 4.1.6). */
export const Part = z.union([
  z.strictObject({ text: z.string(), metadata: Metadata.optional() }),
  z.strictObject({
    data: z.unknown(),
    mediaType: z.string().optional(),
    metadata: Metadata.optional(),
  }),
  z.strictObject({
    url: z.string(),
    mediaType: z.string().optional(),
    filename: z.string().optional(),
    metadata: Metadata.optional(),
  }),
  z.strictObject({
    /** Base64. */
    raw: z.string(),
    mediaType: z.string().optional(),
    filename: z.string().optional(),
    metadata: Metadata.optional(),
  }),
]);
/** A piece of a message. */
export type Part = z.output<typeof Part>;

/** Tokens and calls; sums of a turn unless said otherwise. */
export const Usage = z.strictObject({
  inputTokens: z.int().min(0),
  outputTokens: z.int().min(0),
  cachedTokens: z.int().min(0),
  modelCalls: z.int().min(0),
  toolCalls: z.int().min(0),
});
/** Tokens and calls. */
export type Usage = z.output<typeof Usage>;

/** No tokens, no calls. */
export const NO_USAGE: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  cachedTokens: 0,
  modelCalls: 0,
  toolCalls: 0,
};

/** States of a task that people see; the words of A2A 0.3. */
export const TASK_STATES = [
  "submitted",
  "working",
  "input-required",
  "completed",
  "failed",
  "canceled",
  "rejected",
] as const;
/** State of a task. */
export type TaskState = (typeof TASK_STATES)[number];

/** Whether a task in `state` is over for good. */
export function isTerminal(state: TaskState): boolean {
  return (
    state === "completed" || state === "failed" || state === "canceled" || state === "rejected"
  );
}

/** Machine-readable reasons of a failed or refused turn. */
export const ERROR_CODES = [
  "LIMIT_EXCEEDED",
  "MODEL_UNAVAILABLE",
  "MODEL_ERROR",
  "DELEGATE_FAILED",
  "INVALID_INPUT",
  "WORKER_LOST",
  "CONTEXT_TOO_LARGE",
  "INVALID_OUTPUT",
  "INTERNAL",
] as const;

/** A failure as people and callers see it; `message` is scrubbed of secrets. */
export const TurnError = z.strictObject({ code: z.enum(ERROR_CODES), message: z.string() });
/** A failure of a turn. */
export type TurnError = z.output<typeof TurnError>;

/** A call that waits for a person (kagent-api section 3.3). */
export const PendingCall = z.strictObject({
  /** Id of the request for confirmation. */
  confirmationId: z.string(),
  /** Id of the tool call it is about. */
  callId: z.string(),
  /** `approval`: the call runs only on an approve; `question`: `ask_user`, answered by people. */
  kind: z.enum(["approval", "question"]),
  /** Tool as the model named it. */
  name: z.string(),
  args: z.record(z.string(), z.unknown()),
  /** For people: what they are asked. */
  hint: z.string(),
  /** JSON Schema of the arguments, by which an edit is judged and a form can be made. */
  inputSchema: Metadata.optional(),
  /** Who may decide (users or `group:NAME`) where the agent that calls names them. */
  approvers: z.array(z.string()).optional(),
  /** RFC 3339; from then on nobody can approve it any more. */
  expiresAt: z.string().optional(),
  /** The task of another agent that waits for this call, when it is not the agent's own. */
  delegate: z
    .strictObject({
      agent: z.string(),
      taskId: z.string(),
      contextId: z.string(),
      /** The call by which that agent was asked. */
      callId: z.string(),
      /** In which form its answer was asked for. */
      output: z.enum(["text", "envelope"]),
    })
    .optional(),
});
/** A call that waits for a person. */
export type PendingCall = z.output<typeof PendingCall>;

const Message = z.strictObject({
  type: z.literal("message"),
  role: z.enum(["user", "agent"]),
  parts: z.array(Part),
});
const ToolCall = z.strictObject({
  type: z.literal("tool-call"),
  callId: z.string(),
  name: z.string(),
  args: z.record(z.string(), z.unknown()),
  /** What answers it: an MCP server (`ns/name`), an agent (`ns/name`) or the runtime itself. */
  target: z.strictObject({ kind: z.enum(["mcp", "agent", "builtin"]), ref: z.string() }),
});
const ToolResult = z.strictObject({
  type: z.literal("tool-result"),
  callId: z.string(),
  name: z.string(),
  /** False: the tool answered with an error, which the model has seen. */
  ok: z.boolean(),
  parts: z.array(Part),
  /** Milliseconds from call to result. */
  ms: z.number().min(0),
  /** Session of the agent that was called. */
  childContextId: z.string().optional(),
});
const Routing = z.strictObject({
  type: z.literal("routing"),
  outcome: z.enum(["rule", "follow-up", "default", "model", "clarify"]),
  /** Rules that won, best first; empty unless `outcome` is `rule` or `follow-up`. */
  rules: z.array(z.string()),
  /** Agents (`ns/name`) the request goes to. */
  agents: z.array(z.string()),
  /** By agent of `agents`, the one that was to be asked for the state before it. */
  readFirst: z.record(z.string(), z.string()).optional(),
  /** Matched keywords by rule, every rule that scored. */
  matched: z.record(z.string(), z.array(z.string())),
  /** Scores by rule, every rule that scored. */
  scores: z.record(z.string(), z.number()),
});
const Refusal = z.strictObject({
  type: z.literal("refusal"),
  /** Guard layer that refused (product.md section 5). */
  layer: z.string(),
  rule: z.string(),
  message: z.string(),
});
const ApprovalRequested = z.strictObject({
  type: z.literal("approval-requested"),
  pending: z.array(PendingCall),
  /** RFC 3339; from then on nothing can be approved any more. */
  expiresAt: z.string().optional(),
});
const ApprovalDecided = z.strictObject({
  type: z.literal("approval-decided"),
  decisions: z.array(
    z.strictObject({
      callId: z.string(),
      decision: z.enum(["approve", "reject", "answer"]),
      reason: z.string().optional(),
      /** Sha-256 (hex) of the arguments that were decided on (the edited ones if there are), keys sorted. */
      argsHash: z.string(),
      /** Arguments that the approver put in place of the model's. */
      editedArgs: z.record(z.string(), z.unknown()).optional(),
    }),
  ),
  /** Who decided; `system:expiry` when nobody did in time. */
  approver: z.string(),
});
/** Written before an approved call runs: one without a result has an unknown outcome (decisions 18). */
const ToolIntent = z.strictObject({
  type: z.literal("tool-intent"),
  callId: z.string(),
  name: z.string(),
  argsHash: z.string(),
});
const Compaction = z.strictObject({
  type: z.literal("compaction"),
  fromSeq: z.int(),
  toSeq: z.int(),
  /** Empty where old events are dropped: an agent without summarizer. */
  summary: z.string(),
  /** Tokens of the prompt before and after, as counted or estimated. */
  tokensBefore: z.int().optional(),
  tokensAfter: z.int().optional(),
});
const Limit = z.strictObject({
  type: z.literal("limit"),
  /** Name of the limit, e.g. `maxToolCalls`. */
  limit: z.string(),
  /** Its value. */
  value: z.number(),
});
const Failure = z.strictObject({ type: z.literal("error"), error: TurnError });
const Handoff = z.strictObject({
  type: z.literal("handoff"),
  /** `namespace/name`. */
  agent: z.string(),
  /** The condition that held, or `follow_up_agent` for an envelope's own wish. */
  when: z.string(),
  /** Whether the turn ends with the other agent's answer. */
  wait: z.boolean().optional(),
});
const Status = z.strictObject({
  type: z.literal("status"),
  state: z.enum(TASK_STATES),
  usage: Usage.optional(),
  error: TurnError.optional(),
});

/** What happened in a turn; the union that every reader switches over. */
export const EventBody = z.discriminatedUnion("type", [
  Message,
  ToolCall,
  ToolResult,
  Routing,
  Refusal,
  ApprovalRequested,
  ApprovalDecided,
  ToolIntent,
  Compaction,
  Limit,
  Failure,
  Handoff,
  Status,
]);
/** What happened in a turn. */
export type EventBody = z.output<typeof EventBody>;
/** One member of {@link EventBody} by its type. */
export type EventOf<T extends EventBody["type"]> = Extract<EventBody, { type: T }>;

/** One entry of a session's append-only log. */
export const Event = z.strictObject({
  /** Position in the session, from 1, without gaps. */
  seq: z.int().min(1),
  /** Unique. */
  id: z.string(),
  /** RFC 3339 in UTC. */
  time: z.string(),
  contextId: z.string(),
  taskId: z.string(),
  /** `user`, or the agent that wrote it as `namespace/name`. */
  author: z.string(),
  body: EventBody,
});
/** One entry of a session's log. */
export type Event = z.output<typeof Event>;
/** An event before the store gave it a position. */
export type NewEvent = Omit<Event, "seq">;

/**
 * What a running turn tells its listeners, in order.
 *
 * `event` is in the log already; `partial` is text on its way, never stored; `activity` is an event of
 * a delegate, stored in the delegate's own session and shown here for people.
 */
export type TurnUpdate =
  | { readonly kind: "event"; readonly event: Event }
  | { readonly kind: "partial"; readonly text: string; readonly thought: boolean }
  | { readonly kind: "activity"; readonly author: string; readonly body: EventBody };

/** Key in a text part's metadata that marks a model's thinking aloud. */
export const THOUGHT = "thought";

/** Text parts of `parts` joined, without thoughts. */
export function textOf(parts: readonly Part[]): string {
  return parts
    .map((part) => ("text" in part && part.metadata?.[THOUGHT] !== true ? part.text : ""))
    .join("");
}
