/** What a metric counts and by which labels; no label ever holds a context, a user or a task (decisions 22). */
interface MetricSpec {
  readonly type: "counter" | "gauge" | "histogram";
  /** One sentence, with the unit. */
  readonly help: string;
  readonly labels: readonly string[];
  /** Upper bounds of a histogram. */
  readonly buckets?: readonly number[];
}

/** Seconds from 5 ms to 10 minutes. */
const SECONDS = [0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600];
const AGENT = ["agent", "namespace"];

/** Every metric that a role exports; the README's table says the same. */
export const METRICS = {
  kagent_agent_invocations_total: {
    type: "counter",
    help: "Requests that an agent took.",
    labels: AGENT,
  },
  kagent_agent_loop_detected_total: {
    type: "counter",
    help: "Calls of an agent beyond five within 60 s with the same root context.",
    labels: AGENT,
  },
  kagent_agent_tool_count: {
    type: "gauge",
    help: "Tools and agents that an agent may call.",
    labels: AGENT,
  },
  kagent_turns_total: {
    type: "counter",
    help: "Turns that ended, by the state of their task.",
    labels: [...AGENT, "state"],
  },
  kagent_turn_seconds: {
    type: "histogram",
    help: "Seconds from the start of a turn to its end.",
    labels: AGENT,
    buckets: SECONDS,
  },
  kagent_turns_running: { type: "gauge", help: "Turns under way or queued.", labels: [] },
  kagent_turn_limits_total: {
    type: "counter",
    help: "Turns that one of their limits stopped.",
    labels: [...AGENT, "limit"],
  },
  kagent_approvals_total: {
    type: "counter",
    help: "Calls that people were asked about, and what they decided.",
    labels: [...AGENT, "decision"],
  },
  kagent_llm_calls_total: {
    type: "counter",
    help: "Calls of a model.",
    labels: ["model", "outcome"],
  },
  kagent_llm_tokens_total: {
    type: "counter",
    help: "Tokens as the model's provider counts them: input, output, cached.",
    labels: ["model", "type"],
  },
  kagent_llm_call_seconds: {
    type: "histogram",
    help: "Seconds from a model's call to the end of its answer.",
    labels: ["model"],
    buckets: SECONDS,
  },
  kagent_model_first_token_seconds: {
    type: "histogram",
    help: "Seconds from a model's call to the first piece of its answer.",
    labels: ["model"],
    buckets: SECONDS,
  },
  kagent_tool_calls_total: {
    type: "counter",
    help: "Calls of a tool; outcome is ok, error (the tool said no) or failed (no answer).",
    labels: ["server", "tool", "outcome"],
  },
  kagent_tool_call_seconds: {
    type: "histogram",
    help: "Seconds of a tool's call.",
    labels: ["server"],
    buckets: SECONDS,
  },
  kagent_guardrail_requests_total: {
    type: "counter",
    help: "Texts that the guardrail looked at, by where, what it said and which family matched.",
    labels: ["edge", "verdict", "family"],
  },
  kagent_reconciles_total: {
    type: "counter",
    help: "Objects that the controller looked at.",
    labels: ["kind", "result"],
  },
  kagent_reconcile_seconds: {
    type: "histogram",
    help: "Seconds of one look at an object.",
    labels: ["kind"],
    buckets: SECONDS,
  },
  kagent_queue_depth: {
    type: "gauge",
    help: "Objects that wait for the controller.",
    labels: ["queue"],
  },
  kagent_leader: { type: "gauge", help: "1 on the controller that leads.", labels: [] },
} as const satisfies Readonly<Record<string, MetricSpec>>;

/** Name of a metric. */
export type MetricName = keyof typeof METRICS;
/** Names of metrics of one type. */
export type MetricOf<T extends MetricSpec["type"]> = {
  [N in MetricName]: (typeof METRICS)[N]["type"] extends T ? N : never;
}[MetricName];
/** Labels of a metric with their values. */
export type LabelsOf<N extends MetricName> = Readonly<
  Record<(typeof METRICS)[N]["labels"][number], string>
>;
