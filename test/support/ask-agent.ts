import assert from "node:assert/strict";
import { type AgentUpdate, callAgent } from "../../runtime/a2a/client.ts";
import { type EventBody, type EventOf, type Part, textOf } from "../../runtime/api/events.ts";
import type { TestPlatform } from "./local-platform.ts";

type Result = Extract<AgentUpdate, { kind: "result" }>;

/** What an agent answered, and what it and those it called did meanwhile. */
export interface AgentAnswer {
  readonly result: Result;
  readonly text: string;
  readonly activities: readonly { readonly author: string; readonly body: EventBody }[];
  readonly contextId: string;
  readonly taskId: string;
}

/** Asks an agent of a running platform over A2A, or answers a task of it that waits. */
export async function askAgent(
  test: TestPlatform,
  agent: string,
  message: string | readonly Part[],
  contextId?: string,
  taskId?: string,
): Promise<AgentAnswer> {
  const activities: { author: string; body: EventBody }[] = [];
  let result: Result | undefined;
  let ids = { contextId: "", taskId: "" };
  const call = {
    url: `${test.report.urls.api}/api/a2a/kagent/${agent}/`,
    parts: typeof message === "string" ? [{ text: message }] : message,
    ...(contextId === undefined ? {} : { contextId }),
    ...(taskId === undefined ? {} : { taskId }),
  };
  for await (const update of callAgent(call, AbortSignal.timeout(20_000))) {
    if (update.kind === "task") ids = update;
    if (update.kind === "activity") activities.push(update);
    if (update.kind === "result") result = update;
  }
  assert.ok(result, "no result");
  return {
    result,
    text: textOf(result.parts),
    activities,
    contextId: ids.contextId,
    taskId: ids.taskId,
  };
}

/** Events of one type among an answer's activities. */
export function activitiesOf<T extends EventBody["type"]>(
  answer: AgentAnswer,
  type: T,
): readonly EventOf<T>[] {
  return answer.activities.flatMap(({ body }) => (body.type === type ? [body as EventOf<T>] : []));
}
