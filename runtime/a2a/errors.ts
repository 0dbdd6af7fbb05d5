import {
  A2AError,
  JsonRpcTransportError,
  RequestMalformedError,
  TaskNotCancelableError,
  TaskNotFoundError,
  UnsupportedOperationError,
} from "@a2a-js/sdk/errors";
import { type ObjectRef, refKey } from "../api/names.ts";
import type { Logger } from "../telemetry/log.ts";
import { TaskError, type TaskErrorCode } from "./task-service.ts";

/** JSON-RPC codes that are written or read here by number. */
export const RPC_CODE = {
  parse: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  taskNotFound: -32001,
  contentType: -32005,
  version: -32009,
  /** Ours, from the range JSON-RPC leaves to servers: no agent of that name is served here. */
  agentNotFound: -32000,
} as const;

/** All a client learns of a failure that is ours; the log has the rest. */
export const INTERNAL_MESSAGE = "internal error";

/** Which A2A error a task's error is on the wire; codes as in the specification, section 5.4. */
const TASK_ERRORS: Readonly<Record<TaskErrorCode, (message: string) => A2AError>> = {
  "task-not-found": (message) => new TaskNotFoundError({ message }),
  "context-not-found": (message) => new RequestMalformedError({ message }),
  "not-cancelable": (message) => new TaskNotCancelableError({ message }),
  "not-expecting-input": (message) => new UnsupportedOperationError({ message }),
  "not-permitted": (message) =>
    new UnsupportedOperationError({ message, metadata: { reason: "not-permitted" } }),
  busy: (message) => new UnsupportedOperationError({ message, metadata: { retry: "later" } }),
  invalid: (message) => new RequestMalformedError({ message }),
  "agent-not-found": (message) =>
    new JsonRpcTransportError(rpcError(null, RPC_CODE.agentNotFound, message)),
};

/**
 * The A2A error that tells a client of `error`.
 *
 * What is neither ours nor the SDK's is logged and told as an internal error without its text.
 */
export function toProtocolError(
  error: unknown,
  log: Logger,
  fields: Readonly<Record<string, unknown>>,
): A2AError {
  if (error instanceof A2AError) return error;
  if (error instanceof TaskError) return TASK_ERRORS[error.code](error.message);
  log.error("a2a request failed", { ...fields, error: describe(error) });
  return new A2AError({ message: INTERNAL_MESSAGE });
}

/** Id of a JSON-RPC request; null when it could not be read. */
export type RpcId = string | number | null;

/** A JSON-RPC error response. */
export function rpcError(
  id: RpcId,
  code: number,
  message: string,
): {
  readonly jsonrpc: "2.0";
  readonly id: RpcId;
  readonly error: { readonly code: number; readonly message: string };
} {
  return { jsonrpc: "2.0", id, error: { code, message } };
}

/** What people read when they ask for an agent that is not served here. */
export function agentNotFoundMessage(ref: ObjectRef): string {
  return `agent ${refKey(ref)} not found; GET /api/agents or "kagent get agents" lists the agents`;
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
