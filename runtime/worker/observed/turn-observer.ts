import type { AgentConfig } from "../../api/agent-config.ts";
import type { EventBody } from "../../api/events.ts";
import { refKey } from "../../api/names.ts";
import type { Clock } from "../../process/clock.ts";
import type { Meter } from "../../telemetry/meter.ts";
import { inSpan } from "../../telemetry/tracing.ts";
import type { GuardFinding } from "../guarded-result.ts";
import type { TurnOutcome, TurnRequest } from "../turn-context.ts";
import { CallWindows } from "./call-windows.ts";

/** Counts and traces the turns of a worker. */
export class TurnObserver {
  readonly #meter: Meter;
  readonly #clock: Pick<Clock, "monotonic">;
  readonly #windows: CallWindows;

  constructor(meter: Meter, clock: Pick<Clock, "monotonic">) {
    this.#meter = meter;
    this.#clock = clock;
    this.#windows = new CallWindows(clock);
  }

  /** Runs a turn in a span of the request that it answers. */
  async turn(
    { ref, model }: AgentConfig,
    request: TurnRequest,
    work: () => Promise<TurnOutcome>,
  ): Promise<TurnOutcome> {
    const labels = { agent: ref.name, namespace: ref.namespace };
    this.#arrived(labels, refKey(ref), request);
    const attributes = {
      "gen_ai.operation.name": "invoke_agent",
      "gen_ai.agent.name": ref.name,
      "gen_ai.conversation.id": request.contextId,
      "gen_ai.request.model": model.model,
      "kagent.task.id": request.taskId,
      "k8s.namespace.name": ref.namespace,
    };
    const started = this.#clock.monotonic();
    this.#meter.add("kagent_turns_running", {}, 1);
    let state = "failed";
    try {
      const options = { kind: "server", attributes, headers: request.headers } as const;
      return await inSpan(`invoke_agent ${ref.name}`, options, async (span) => {
        const outcome = await work();
        state = outcome.state;
        span.setAttributes({
          "gen_ai.usage.input_tokens": outcome.usage.inputTokens,
          "gen_ai.usage.output_tokens": outcome.usage.outputTokens,
          "kagent.task.state": state,
          ...(outcome.error === undefined ? {} : { "error.type": outcome.error.code }),
        });
        return outcome;
      });
    } finally {
      this.#meter.add("kagent_turns_running", {}, -1);
      this.#meter.count("kagent_turns_total", { ...labels, state });
      const seconds = (this.#clock.monotonic() - started) / 1_000;
      this.#meter.observe("kagent_turn_seconds", labels, seconds);
    }
  }

  /** Counts what an event of a turn tells. */
  event({ ref }: AgentConfig, body: EventBody): void {
    const labels = { agent: ref.name, namespace: ref.namespace };
    if (body.type === "limit")
      this.#meter.count("kagent_turn_limits_total", { ...labels, limit: body.limit });
    if (body.type === "approval-requested")
      this.#meter.count(
        "kagent_approvals_total",
        { ...labels, decision: "asked" },
        body.pending.length,
      );
    if (body.type === "approval-decided")
      for (const { decision } of body.decisions)
        this.#meter.count("kagent_approvals_total", { ...labels, decision });
  }

  /** Counts what the guardrail found in answers. */
  guarded(findings: readonly GuardFinding[]): void {
    for (const { verdict, family } of findings)
      this.#meter.count("kagent_guardrail_requests_total", { edge: "answer", verdict, family });
  }

  #arrived(
    labels: { readonly agent: string; readonly namespace: string },
    key: string,
    { rootContextId, decision }: TurnRequest,
  ): void {
    if (decision !== undefined) return; // the same request goes on
    this.#meter.count("kagent_agent_invocations_total", labels);
    if (this.#windows.isLoop(key, rootContextId))
      this.#meter.count("kagent_agent_loop_detected_total", labels);
  }
}
