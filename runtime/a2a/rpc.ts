import { ListTasksRequest, type Task } from "@a2a-js/sdk";
import { isLegacyJsonRpcMethod, isV1JsonRpcMethod } from "@a2a-js/sdk/compat/v0_3";
import {
  LegacyJsonRpcTransportHandler,
  V03PushNotificationSerializer,
} from "@a2a-js/sdk/compat/v0_3/server";
import { A2AError, PushNotificationNotSupportedError } from "@a2a-js/sdk/errors";
import { JsonRpcTransportHandler, ServerCallContext } from "@a2a-js/sdk/server";
import * as z from "zod";
import { ambiguousKey } from "../api/ambiguous-key.ts";
import type { Version } from "./card.ts";
import { INTERNAL_MESSAGE, RPC_CODE, type RpcId, rpcError } from "./errors.ts";
import type { AgentRequestHandler } from "./request-handler.ts";

/** 64 levels of arrays and objects: deeper input is an attack on whoever walks it. */
const MAX_DEPTH = 64;
/** The SDK warns on the console about what clients put into these. */
const LEGACY_PUSH = "tasks/pushNotificationConfig/";
/** Method of 0.3 that kagent serves and the SDK does not know. */
const LEGACY_LIST = "tasks/list";

const Envelope = z.object({
  jsonrpc: z.literal("2.0"),
  id: z.union([z.string(), z.int(), z.null()]).optional(),
  method: z.string().min(1).max(100),
});
const Id = z.object({ id: z.union([z.string(), z.int()]) });

/** A JSON-RPC request that is well-formed as such. */
export interface RpcRequest {
  readonly id: RpcId;
  readonly method: string;
  /** The whole request. */
  readonly body: Record<string, unknown>;
}

/** Answer to a JSON-RPC request: one object, or a stream that has begun. */
export type RpcAnswer =
  | { readonly kind: "single"; readonly body: unknown }
  | {
      readonly kind: "stream";
      readonly first: unknown;
      readonly rest: AsyncIterator<unknown>;
    };

/** Reads a request body; the error is the answer when it is none. */
export function parseRpc(
  text: string,
):
  | { readonly ok: true; readonly request: RpcRequest }
  | { readonly ok: false; readonly answer: unknown } {
  const refuse = (id: RpcId, code: number, message: string) =>
    ({ ok: false, answer: rpcError(id, code, message) }) as const;
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return refuse(null, RPC_CODE.parse, "the request body is not JSON");
  }
  // The keys of a batch of decisions are ids of calls: one that is there twice approves and rejects at once.
  if (ambiguousKey(text) !== undefined)
    return refuse(null, RPC_CODE.invalidRequest, "an object has a key twice, or a key __proto__");
  const id = Id.safeParse(body).data?.id ?? null;
  if (isDeeperThan(body, MAX_DEPTH))
    return refuse(id, RPC_CODE.invalidRequest, `nested deeper than ${MAX_DEPTH} levels`);
  const envelope = Envelope.safeParse(body);
  if (!envelope.success)
    return refuse(id, RPC_CODE.invalidRequest, "the request is not a JSON-RPC 2.0 request object");
  const { method } = envelope.data;
  return { ok: true, request: { id, method, body: body as Record<string, unknown> } };
}

/** Answers a request in the wire format of `version`. Never rejects. */
export async function answerRpc(
  request: RpcRequest,
  version: Version,
  handler: AgentRequestHandler,
): Promise<RpcAnswer> {
  const unknown = unknownMethod(request, version);
  if (unknown !== undefined) return { kind: "single", body: unknown };
  const context = new ServerCallContext({ requestedVersion: version });
  const answer = await (version === "1.0"
    ? new JsonRpcTransportHandler(handler).handle(request.body, context)
    : answerLegacy(request, handler, context));
  if (!(Symbol.asyncIterator in answer)) return { kind: "single", body: blamed(answer) };
  const stream = version === "1.0" ? answer : finalInputRequired(answer);
  try {
    const step = await stream.next();
    if (step.done === true)
      return { kind: "single", body: rpcError(request.id, RPC_CODE.internal, INTERNAL_MESSAGE) };
    return { kind: "stream", first: step.value, rest: stream };
  } catch (error) {
    return { kind: "single", body: streamFailure(request, version, error) };
  }
}

/** What a client reads when a stream fails in the middle. */
export function streamFailure({ id }: RpcRequest, version: Version, error: unknown): unknown {
  const failure = error instanceof A2AError ? error : new A2AError(INTERNAL_MESSAGE);
  const told =
    version === "1.0"
      ? JsonRpcTransportHandler.mapToJSONRPCError(failure)
      : LegacyJsonRpcTransportHandler.mapToLegacyJSONRPCError(failure);
  return { jsonrpc: "2.0", id, error: told };
}

function unknownMethod({ id, method }: RpcRequest, version: Version): unknown {
  const modern = isV1JsonRpcMethod(method);
  const legacy = isLegacyJsonRpcMethod(method) || method === LEGACY_LIST;
  if (version === "1.0" ? modern : legacy) return undefined;
  const hint = modern
    ? "; it is one of A2A 1.0, which needs the header A2A-Version: 1.0"
    : legacy
      ? "; it is one of A2A 0.3, which is spoken without the header A2A-Version"
      : "";
  return rpcError(id, RPC_CODE.methodNotFound, `method ${method} not found${hint}`);
}

async function answerLegacy(
  request: RpcRequest,
  handler: AgentRequestHandler,
  context: ServerCallContext,
): Promise<Awaited<ReturnType<LegacyJsonRpcTransportHandler["handle"]>>> {
  const { id, method, body } = request;
  if (method !== LEGACY_LIST && !method.startsWith(LEGACY_PUSH))
    return await new LegacyJsonRpcTransportHandler(handler).handle(legacyDefaults(body), context);
  try {
    if (method !== LEGACY_LIST) throw new PushNotificationNotSupportedError();
    const params = Object(body["params"]) as Record<string, unknown>;
    const status = params["status"];
    const state = typeof status === "string" ? legacyState(status) : undefined;
    const filter = ListTasksRequest.fromJSON({ ...params, status: state });
    const page = await handler.listTasks(filter);
    return { jsonrpc: "2.0", id, result: { ...page, tasks: page.tasks.map(legacyTask) } };
  } catch (error) {
    return {
      jsonrpc: "2.0",
      id,
      error: LegacyJsonRpcTransportHandler.mapToLegacyJSONRPCError(error),
    };
  }
}

/** `input-required` as `TASK_STATE_INPUT_REQUIRED`. */
function legacyState(state: string): string {
  return `TASK_STATE_${state.toUpperCase().replaceAll("-", "_")}`;
}

function legacyTask(task: Task): unknown {
  const { body } = new V03PushNotificationSerializer().serialize({
    payload: { $case: "task", value: task },
  });
  return JSON.parse(body);
}

/**
 * The request as servers of 0.3 read it: they wait unless told otherwise, which the SDK's translation
 * forgets once there is a configuration. Of a push configuration only its presence is kept.
 */
function legacyDefaults(body: Record<string, unknown>): Record<string, unknown> {
  const params = body["params"] as Readonly<Record<string, unknown>> | undefined;
  const configuration = params?.["configuration"];
  if (typeof configuration !== "object" || configuration === null) return body;
  const pushes = Object(configuration) as { readonly pushNotificationConfig?: unknown };
  const push = pushes.pushNotificationConfig ? { pushNotificationConfig: { url: "" } } : {};
  return {
    ...body,
    params: { ...params, configuration: { blocking: true, ...configuration, ...push } },
  };
}

/** Kagent's clients take `final` as the end of a turn, which `input-required` is too; the SDK leaves it false. */
async function* finalInputRequired(
  stream: AsyncGenerator<{ result?: unknown }, void, undefined>,
): AsyncGenerator<unknown, void, undefined> {
  for await (const item of stream) {
    const result = item.result as { kind?: unknown; status?: { state?: unknown }; final?: boolean };
    if (result.kind === "status-update" && result.status?.state === "input-required")
      yield { ...item, result: { ...result, final: true } };
    else yield item;
  }
}

/**
 * Our handler rejects with errors of its own making only: an internal error without our message is the
 * SDK's translation stumbling over parameters of a wrong shape.
 */
function blamed(answer: { id: RpcId; error?: unknown }): unknown {
  const error = answer.error as { code?: unknown; message?: unknown } | undefined;
  if (error?.code !== RPC_CODE.internal || error.message === INTERNAL_MESSAGE) return answer;
  return rpcError(answer.id, RPC_CODE.invalidParams, "params: not of the method's shape");
}

/** Whether `value` nests deeper than `max` levels; breadth first, so that it cannot overflow the stack. */
function isDeeperThan(value: unknown, max: number): boolean {
  let level: unknown[] = [value];
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth > max) return true;
    level = level.flatMap((item) =>
      typeof item === "object" && item !== null ? (Object.values(item) as unknown[]) : [],
    );
  }
  return false;
}
