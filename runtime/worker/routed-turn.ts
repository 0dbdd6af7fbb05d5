import type { RoutingTable } from "../api/agent-config.ts";
import { type EventOf, textOf } from "../api/events.ts";
import { parseRef, refKey } from "../api/names.ts";
import { compileRouting, type RoutingDecision, route } from "../api/routing.ts";
import { requestApproval } from "./approval-ask.ts";
import { changeHandover } from "./change-flow.ts";
import { type DelegateResult, delegate } from "./delegate.ts";
import { delegateAnswers, ownAnswer, taskEvents } from "./delegate-answers.ts";
import { afterAnswer, handOver } from "./handoff.ts";
import { answersThatCount, nextDelegations } from "./routed-calls.ts";
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
  const event = routingEvent(decision);
  await turn.emit.event(event);
  switch (decision.outcome) {
    case "model":
      return "model";
    case "clarify":
      return await clarify(turn, table);
    case "rule":
    case "follow-up":
    case "default":
      return await proceed(turn, event, []);
  }
}

function routingEvent(decision: RoutingDecision): EventOf<"routing"> {
  const { readFirst } = decision;
  const readers = Object.entries(readFirst ?? {}).map(
    ([agent, ref]) => [agent, refKey(ref)] as const,
  );
  return {
    type: "routing",
    outcome: decision.outcome,
    rules: [...decision.rules],
    agents: decision.agents.map(refKey),
    ...(readFirst === undefined ? {} : { readFirst: Object.fromEntries(readers) }),
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

/** The decision by which this task's request went to other agents; `undefined` when none did. */
export function routeTaken(turn: Turn): EventOf<"routing"> | undefined {
  const taken = taskEvents(turn).find(
    ({ body }) => body.type === "routing" && body.agents.length > 0,
  )?.body;
  return taken?.type === "routing" ? taken : undefined;
}

/**
 * Asks the agents of a route, those first from which others need findings, until all have answered or one waits for
 * people; then answers with what they answered, or with the answer of the agent that the change they propose goes to.
 *
 * @param before - How calls went on that people decided about; answers that came earlier are read from the log.
 */
export async function proceed(
  turn: Turn,
  taken: EventOf<"routing">,
  before: readonly DelegateResult[],
): Promise<TurnOutcome> {
  let results = before;
  for (;;) {
    const pending = results.flatMap((result) => result.pending);
    if (pending.length > 0) {
      await requestApproval(turn, pending);
      return { state: "input-required", usage: turn.budget.usage };
    }
    const next = nextDelegations(turn, taken);
    if (next.length === 0) return await conclude(turn, taken, results);
    const asked = await Promise.all(next.map((delegation) => delegate(turn, delegation)));
    results = [...results, ...asked];
  }
}

async function conclude(
  turn: Turn,
  taken: EventOf<"routing">,
  results: readonly DelegateResult[],
): Promise<TurnOutcome> {
  const answers = answersThatCount(taken, delegateAnswers(taskEvents(turn)));
  const parts = ownAnswer(turn, answers);
  await turn.emit.event({ type: "message", role: "agent", parts: [...parts] });
  if (answers.some(({ ok }) => ok)) {
    const change = changeHandover(turn, answers);
    return change === undefined ? await afterAnswer(turn, parts) : await handOver(turn, change);
  }
  const { usage } = turn.budget;
  if (results.some(({ state }) => state === "rejected")) return { state: "rejected", usage };
  const why = answers.map((answer) => textOf(answer.parts)).join("; ");
  const message = why === "" ? "no agent could be asked" : why;
  return { state: "failed", usage, error: { code: "DELEGATE_FAILED", message } };
}
