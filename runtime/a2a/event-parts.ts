import * as z from "zod";
import { EventBody, type EventOf, Part, PendingCall } from "../api/events.ts";
import { META, parseRef, refKey } from "../api/names.ts";
import { kagentValue, type Metadata } from "./wire-metadata.ts";

/** Name under which kagent's clients look for a request for confirmation (kagent-api section 3.3). */
const CONFIRMATION = "adk_request_confirmation";
/** Calls with this prefix are between kagent's runtime and its clients; no tool has such a name. */
const INTERNAL_PREFIX = "adk_request_";
/** Tool by which an agent asks people. */
const ASK_USER = "ask_user";

const ToolTarget = z.object({ kind: z.enum(["mcp", "agent", "builtin"]), ref: z.string() });
const Arguments = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((args) => args ?? {});
const FunctionCall = z.object({ id: z.string().default(""), name: z.string(), args: Arguments });
const FunctionResponse = z.object({
  id: z.string().default(""),
  name: z.string(),
  response: z.unknown().optional(),
});
/** A call of an agent's own agent that waits for people. */
const InnerCall = z.object({ id: z.string(), originalFunctionCall: FunctionCall });
const Confirmation = z.object({
  id: z.string(),
  name: z.literal(CONFIRMATION),
  args: z.object({
    originalFunctionCall: FunctionCall,
    toolConfirmation: z
      .object({
        hint: z.string().default(""),
        payload: z
          .object({ hitl_parts: z.array(InnerCall) })
          .nullish()
          .catch(null),
      })
      .optional(),
  }),
});
/** What kagent's clients are not told of a call that waits. */
const PendingExtra = PendingCall.pick({
  inputSchema: true,
  approvers: true,
  expiresAt: true,
}).strip();
/** What a function call's part does not say of a tool call. */
const CallExtra = z.object({ type: z.literal("tool-call"), target: ToolTarget });
type CallExtra = z.output<typeof CallExtra>;
/** What a function response's part does not say of a result; `parts` unless all are plain text. */
const ResultExtra = z.object({
  type: z.literal("tool-result"),
  ok: z.boolean(),
  ms: z.number().min(0),
  childContextId: z.string().optional(),
  parts: z.array(Part).optional(),
});
type ResultExtra = z.output<typeof ResultExtra>;
const Content = z.array(z.object({ type: z.literal("text"), text: z.string() }));
const Response = z.object({
  isError: z.boolean().optional(),
  error: z.unknown().optional(),
  result: z.union([z.string(), z.object({ content: Content })]).optional(),
  subagent_session_id: z.string().optional(),
});

/** Event types that travel whole under a key of their own. */
const OWN_KEYS = { routing: META.routing, refusal: META.refusal, limit: META.limit } as const;

/** What kagent's clients see of an event; empty for events they know nothing of. */
export function eventParts(body: EventBody): readonly Part[] {
  if (body.type === "message") return body.parts;
  if (body.type === "tool-call")
    return [adkPart("function_call", { id: body.callId, name: body.name, args: body.args })];
  if (body.type === "tool-result") return [adkPart("function_response", responseOf(body))];
  if (body.type === "approval-requested") return body.pending.map(confirmationPart);
  return [];
}

/** What {@link eventParts} leaves out, under our own keys; together they are the whole event. */
export function eventMetadata(body: EventBody): Metadata {
  if (body.type === "message" || body.type === "status") return {};
  if (body.type === "tool-call")
    return { [META.event]: { type: body.type, target: body.target } satisfies CallExtra };
  if (body.type === "tool-result") return { [META.event]: resultExtra(body) };
  if (body.type === "routing" || body.type === "refusal" || body.type === "limit") {
    const { type, ...rest } = body;
    return { [OWN_KEYS[type]]: rest };
  }
  if (body.type === "compaction")
    return { [META.event]: body, [META.compaction]: compactionMetadata(body) };
  return { [META.event]: body };
}

/** What clients are told of a compaction: which events, and tokens of the prompt (kagent-api section 1.5). */
function compactionMetadata(body: EventOf<"compaction">): Metadata {
  const { fromSeq: from, toSeq: to, tokensBefore, tokensAfter } = body;
  return {
    from,
    to,
    ...(tokensBefore === undefined ? {} : { tokensBefore }),
    ...(tokensAfter === undefined ? {} : { tokensAfter }),
  };
}

/**
 * Events that an update of an agent carries, ours or kagent's; what is neither is left out.
 *
 * Ours come back as they were stored. Kagent puts text and calls of one model answer into one update:
 * text comes first, then calls, then results.
 */
export function readEvents(parts: readonly Part[], metadata: Metadata | undefined): EventBody[] {
  const own = readOwn(metadata);
  if (own !== undefined) return [own];
  const plain = parts.filter((part) => adkType(part) === undefined);
  const message: EventBody[] =
    plain.length === 0 ? [] : [{ type: "message", role: "agent", parts: plain }];
  const calls = parts.flatMap((part) => readCall(part, metadata));
  return [...message, ...calls];
}

/**
 * Calls that wait for a person, read from the message of an `input-required` status.
 *
 * Where an agent asks on behalf of one it called, the calls are the inner ones: theirs are the ids that
 * a decision names (kagent-api section 3.3).
 */
export function readPending(parts: readonly Part[]): PendingCall[] {
  return parts.flatMap((part) => {
    const request = Confirmation.safeParse(dataOf(part));
    if (!request.success) return [];
    const { id, args } = request.data;
    const { hint = "", payload } = args.toolConfirmation ?? {};
    const inner = payload?.hitl_parts ?? [];
    const asked =
      inner.length > 0 ? inner : [{ id, originalFunctionCall: args.originalFunctionCall }];
    const more = PendingExtra.safeParse(part.metadata?.[META.approval]).data ?? {};
    return asked.map(({ id: confirmationId, originalFunctionCall: call }) => ({
      ...more,
      confirmationId,
      callId: call.id,
      kind: call.name === ASK_USER ? ("question" as const) : ("approval" as const),
      name: call.name,
      args: call.args,
      hint,
    }));
  });
}

function confirmationPart(pending: PendingCall): Part {
  const { confirmationId: id, callId, name, args, hint, delegate } = pending;
  const originalFunctionCall = { id: callId, name, args };
  const payload =
    delegate === undefined
      ? null
      : {
          task_id: delegate.taskId,
          context_id: delegate.contextId,
          subagent_name: delegate.agent,
          hitl_parts: [{ name: CONFIRMATION, id, originalFunctionCall }],
        };
  const toolConfirmation = { hint, confirmed: false, payload };
  const data = { name: CONFIRMATION, id, args: { originalFunctionCall, toolConfirmation } };
  const part = adkPart("function_call", data);
  const extra = pendingExtra(pending);
  const metadata = { ...part.metadata, adk_is_long_running: true };
  if (Object.keys(extra).length === 0) return { ...part, metadata };
  return { ...part, metadata: { ...metadata, [META.approval]: extra } };
}

function pendingExtra({ inputSchema, approvers, expiresAt }: PendingCall): Metadata {
  return {
    ...(inputSchema === undefined ? {} : { inputSchema }),
    ...(approvers === undefined ? {} : { approvers }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
  };
}

function adkPart(type: "function_call" | "function_response", data: unknown): Part {
  return { data, metadata: { adk_type: type } };
}

function responseOf(body: EventOf<"tool-result">): unknown {
  const { callId, name, ok, parts, childContextId } = body;
  const session = childContextId === undefined ? {} : { subagent_session_id: childContextId };
  const content = parts.map((part) => ({ type: "text", text: plainText(part) }));
  return { id: callId, name, response: { result: { content }, isError: !ok, ...session } };
}

function resultExtra(body: EventOf<"tool-result">): ResultExtra {
  const { type, ok, ms, childContextId, parts } = body;
  return {
    type,
    ok,
    ms,
    ...(childContextId === undefined ? {} : { childContextId }),
    ...(parts.every(isPlainText) ? {} : { parts }),
  };
}

function plainText(part: Part): string {
  if ("text" in part) return part.text;
  if ("url" in part) return part.url;
  if ("raw" in part) return `[file ${part.filename ?? ""} ${part.mediaType ?? ""}]`;
  return JSON.stringify(part.data ?? null);
}

function isPlainText(part: Part): boolean {
  return "text" in part && part.metadata === undefined;
}

function readOwn(metadata: Metadata | undefined): EventBody | undefined {
  if (metadata === undefined) return undefined;
  for (const [type, key] of Object.entries(OWN_KEYS)) {
    if (!(key in metadata)) continue;
    const body = EventBody.safeParse({ ...Object(metadata[key]), type });
    if (body.success) return body.data;
  }
  return META.event in metadata ? EventBody.safeParse(metadata[META.event]).data : undefined;
}

function readCall(part: Part, metadata: Metadata | undefined): EventBody[] {
  const type = adkType(part);
  if (type === "function_call") {
    const call = FunctionCall.safeParse(dataOf(part));
    if (!call.success || call.data.name.startsWith(INTERNAL_PREFIX)) return [];
    const { id: callId, name, args } = call.data;
    const extra = CallExtra.safeParse(metadata?.[META.event]);
    const target = extra.data?.target ?? guessTarget(name);
    return [{ type: "tool-call", callId, name, args, target }];
  }
  if (type !== "function_response") return [];
  const response = FunctionResponse.safeParse(dataOf(part));
  if (!response.success) return [];
  const { id: callId, name } = response.data;
  const extra = ResultExtra.safeParse(metadata?.[META.event]);
  const { parts, ...seen } = readResponse(response.data.response);
  const told = { ms: 0, ...seen, ...extra.data };
  return [{ ...told, type: "tool-result", callId, name, parts: extra.data?.parts ?? parts }];
}

function readResponse(
  response: unknown,
): Pick<EventOf<"tool-result">, "ok" | "parts" | "childContextId"> {
  const parsed = Response.safeParse(response);
  if (!parsed.success) return { ok: true, parts: textsOf(undefined, response) };
  const { isError, error, result, subagent_session_id: childContextId } = parsed.data;
  return {
    ok: isError !== true && error === undefined,
    parts: textsOf(result, response),
    ...(childContextId === undefined ? {} : { childContextId }),
  };
}

function textsOf(result: z.output<typeof Response>["result"], response: unknown): Part[] {
  if (typeof result === "string") return [{ text: result }];
  if (result !== undefined) return result.content.map(({ text }) => ({ text }));
  return [{ text: JSON.stringify(response ?? null) }];
}

/** Kagent names agents as tools by their reference, `ns__NS__name` (kagent-api section 2.4). */
function guessTarget(name: string): EventOf<"tool-call">["target"] {
  if (!name.includes("__NS__")) return { kind: "mcp", ref: "" };
  const ref = parseRef(name.replace("__NS__", "/").replaceAll("_", "-"));
  return { kind: "agent", ref: refKey(ref) };
}

function adkType(part: Part): unknown {
  return kagentValue(part.metadata, "type");
}

function dataOf(part: Part): unknown {
  return "data" in part ? part.data : undefined;
}
