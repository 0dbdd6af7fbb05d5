import * as z from "zod";
import { type EventBody, type NewEvent, type Part, THOUGHT } from "../../api/events.ts";
import { type ObjectRef, refKey } from "../../api/names.ts";

/** Where an event belongs. */
interface Place {
  readonly id: string;
  /** RFC 3339. */
  readonly time: string;
  readonly contextId: string;
  readonly agent: ObjectRef;
}

const Call = z.object({
  id: z.string().nullish(),
  name: z.string().max(256),
  args: z.record(z.string(), z.unknown()).nullish(),
});
const Reply = z.object({
  id: z.string().nullish(),
  name: z.string().max(256),
  response: z.unknown(),
});
/** A piece of content, with the keys of both spellings that the kit has had. */
const AdkPart = z.looseObject({
  text: z.string().nullish(),
  thought: z.boolean().nullish(),
  function_call: Call.nullish(),
  functionCall: Call.nullish(),
  function_response: Reply.nullish(),
  functionResponse: Reply.nullish(),
});
const AdkEvent = z.looseObject({
  author: z.string().max(256).optional(),
  invocation_id: z.string().max(512).nullish(),
  invocationId: z.string().max(512).nullish(),
  content: z.object({ parts: z.array(AdkPart).max(1_000).nullish() }).nullish(),
});
type AdkPart = z.output<typeof AdkPart>;

/**
 * Events of our log for one event of Google's Agent Development Kit, in which kagent's runtimes keep their sessions.
 *
 * Text comes first, then calls, then results. Ids are made from the event's own, so that the same one sent twice is
 * stored once.
 *
 * @param data - JSON.
 * @returns Nothing for an event that says nothing; `undefined` for what is no event.
 */
export function adkEvents(data: string, place: Place): readonly NewEvent[] | undefined {
  const event = AdkEvent.safeParse(json(data)).data;
  if (event === undefined) return undefined;
  const { contextId, time, agent } = place;
  const parts = event.content?.parts ?? [];
  const isUser = event.author === "user";
  const taskId = event.invocation_id ?? event.invocationId ?? place.id;
  const bodies = [
    ...message(parts, isUser ? "user" : "agent"),
    ...parts.flatMap(call),
    ...parts.flatMap(reply),
  ];
  const author = isUser ? "user" : refKey(agent);
  return bodies.map((body, index) => ({
    id: index === 0 ? place.id : `${place.id}#${index}`,
    time,
    contextId,
    taskId,
    author,
    body,
  }));
}

function message(parts: readonly AdkPart[], role: "user" | "agent"): EventBody[] {
  const texts = parts.flatMap(({ text, thought }): Part[] =>
    typeof text !== "string" || text === ""
      ? []
      : [thought === true ? { text, metadata: { [THOUGHT]: true } } : { text }],
  );
  return texts.length === 0 ? [] : [{ type: "message", role, parts: texts }];
}

function call({ function_call, functionCall }: AdkPart): EventBody[] {
  const found = function_call ?? functionCall;
  if (found === null || found === undefined) return [];
  const target = { kind: "mcp", ref: "" } as const;
  const { id, name, args } = found;
  return [{ type: "tool-call", callId: id ?? "", name, args: args ?? {}, target }];
}

function reply({ function_response, functionResponse }: AdkPart): EventBody[] {
  const found = function_response ?? functionResponse;
  if (found === null || found === undefined) return [];
  const { id, name, response } = found;
  const text = JSON.stringify(response ?? null);
  const failed = Object(response) as { readonly error?: unknown; readonly isError?: unknown };
  const isGood = failed.error === undefined && failed.isError !== true;
  return [{ type: "tool-result", callId: id ?? "", name, ok: isGood, parts: [{ text }], ms: 0 }];
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // no event, as any other text
  }
}
