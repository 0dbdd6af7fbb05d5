import type { AgentToolUse, RoutingTable } from "../api/agent-config.ts";
import type { Envelope } from "../api/envelope.ts";
import { parseEnvelope, renderEnvelopes, wrapFreeText } from "../api/envelope-markdown.ts";
import { type EventOf, type Part, textOf } from "../api/events.ts";
import { ENVELOPE_MEDIA_TYPE, type ObjectRef, parseRef, refKey } from "../api/names.ts";
import { compileRouting, type RoutingDecision, route } from "../api/routing.ts";
import { type DelegateResult, delegate } from "./delegate.ts";
import { agentToolName } from "./toolbox.ts";
import type { Turn, TurnOutcome } from "./turn-context.ts";

/** How a routed request ended; `model` leaves it to the agent's own model. */
export type RoutedEnd = TurnOutcome | "model";

/**
 * Serves a request by the agent's routing table, without any model call (product.md section 4).
 *
 * @returns `model` when no rule matches and the table leaves the request to the model.
 */
export async function routedTurn(
  turn: Turn,
  table: RoutingTable,
  text: string,
): Promise<RoutedEnd> {
  const decision = route(text, compileRouting(table), lastRoute(turn));
  await turn.emit.event(routingEvent(decision));
  switch (decision.outcome) {
    case "model":
      return "model";
    case "clarify":
      return await clarify(turn, table);
    case "rule":
    case "follow-up":
    case "default":
      return await delegateAll(turn, decision.agents);
  }
}

function routingEvent(decision: RoutingDecision): EventOf<"routing"> {
  return {
    type: "routing",
    outcome: decision.outcome,
    rules: [...decision.rules],
    agents: decision.agents.map(refKey),
    matched: Object.fromEntries(
      Object.entries(decision.matched).map(([rule, words]) => [rule, [...words]]),
    ),
    scores: { ...decision.scores },
  };
}

/** Agents of the session's last decision: a follow-up without a match stays with them (decisions 6). */
function lastRoute(turn: Turn) {
  const last = turn
    .history()
    .findLast(({ body }) => body.type === "routing" && body.agents.length > 0)?.body;
  return last?.type === "routing" ? last.agents.map((key) => parseRef(key)) : undefined;
}

async function clarify(turn: Turn, table: RoutingTable): Promise<TurnOutcome> {
  const offers = table.rules.map(
    ({ name, keywords }) => `- ${name}: ${keywords.slice(0, 5).join(", ")}`,
  );
  const text = `I could not tell which agent should answer. Please name what you ask about:\n${offers.join("\n")}`;
  await turn.emit.event({ type: "message", role: "agent", parts: [{ text }] });
  return { state: "completed", usage: turn.budget.usage };
}

async function delegateAll(turn: Turn, agents: readonly ObjectRef[]): Promise<TurnOutcome> {
  const output = turn.config.envelope === "render" ? "envelope" : "text";
  const results = await Promise.all(
    agents.flatMap((ref) => {
      const use = agentUse(turn, refKey(ref));
      if (use === undefined) return [];
      const call = { callId: turn.deps.newId(), name: agentToolName(use.ref) };
      return [delegate(turn, { ...call, use, parts: turn.request.parts, output })];
    }),
  );
  return await concludeRouted(turn, results);
}

/** The agent among this agent's tools that is called so. */
export function agentUse(turn: Turn, key: string): AgentToolUse | undefined {
  return turn.config.agents.find(({ ref }) => refKey(ref) === key);
}

/**
 * Answers with what the delegates of this task answered, or waits for people if one of them does.
 *
 * @param results - Of the calls made just now; answers that came before are read from the log.
 */
export async function concludeRouted(
  turn: Turn,
  results: readonly DelegateResult[],
): Promise<TurnOutcome> {
  const { usage } = turn.budget;
  const pending = results.flatMap((result) => result.pending);
  if (pending.length > 0) {
    await turn.emit.event({ type: "approval-requested", pending });
    return { state: "input-required", usage };
  }
  const answers = answersOf(turn);
  await turn.emit.event({ type: "message", role: "agent", parts: answerParts(turn, answers) });
  if (answers.some(({ ok }) => ok)) return { state: "completed", usage };
  if (results.some(({ state }) => state === "rejected")) return { state: "rejected", usage };
  const why = answers.map(({ parts }) => textOf(parts)).join("; ");
  const message = why === "" ? "no agent could be asked" : why;
  return { state: "failed", usage, error: { code: "DELEGATE_FAILED", message } };
}

interface Answer {
  readonly agent: ObjectRef;
  readonly ok: boolean;
  readonly parts: readonly Part[];
}

/** What the agents that were asked in this task answered, in the order of the calls. */
function answersOf(turn: Turn): readonly Answer[] {
  const own = turn.history().filter(({ taskId }) => taskId === turn.request.taskId);
  const results = new Map(
    own.flatMap(({ body }) => (body.type === "tool-result" ? [[body.callId, body] as const] : [])),
  );
  return own.flatMap(({ body }) => {
    if (body.type !== "tool-call" || body.target.kind !== "agent") return [];
    const result = results.get(body.callId);
    if (result === undefined) return [];
    return [{ agent: parseRef(body.target.ref), ok: result.ok, parts: result.parts }];
  });
}

function answerParts(turn: Turn, answers: readonly Answer[]): Part[] {
  const rendered = turn.config.envelope === "render";
  const envelopes = rendered ? answers.map(envelopeOf) : [];
  const text = rendered
    ? renderEnvelopes(envelopes)
    : answers.map(({ parts }) => textOf(parts)).join("\n\n");
  if (turn.config.stream) turn.emit.partial(text, false);
  return [{ text }, ...envelopes.map((data) => ({ data, mediaType: ENVELOPE_MEDIA_TYPE }))];
}

function envelopeOf({ agent, ok, parts }: Answer): Envelope {
  for (const part of parts) {
    if (!("data" in part) || part.mediaType !== ENVELOPE_MEDIA_TYPE) continue;
    const envelope = parseEnvelope(part.data);
    if (envelope !== undefined) return envelope;
  }
  const text = textOf(parts);
  const wrapped = wrapFreeText(agent.name, text);
  return ok ? wrapped : { ...wrapped, status: "error", severity: "error", summary: text };
}
