import type { SendMessageRequest } from "@a2a-js/sdk";
import { Role } from "@a2a-js/sdk";
import { RequestMalformedError } from "@a2a-js/sdk/errors";
import * as z from "zod";
import { check, sentence } from "../api/checked.ts";
import { Part } from "../api/events.ts";
import type { ObjectRef } from "../api/names.ts";
import type { SendRequest } from "./task-service.ts";
import { fromWirePart } from "./wire-parts.ts";

/** How much one message may hold. */
export interface MessageLimits {
  /** Parts of a message. */
  readonly maxParts: number;
  /** UTF-8 bytes of all text parts together. */
  readonly maxTextBytes: number;
  /** Bytes of all inline files together, decoded. */
  readonly maxFileBytes: number;
}

/**
 * 100 parts, 1 MiB of text, 512 KiB of inline files: a model reads less than that, and larger files
 * travel by reference. Raise with the `limits` of the app.
 */
export const MESSAGE_LIMITS: MessageLimits = {
  maxParts: 100,
  maxTextBytes: 1024 * 1024,
  maxFileBytes: 512 * 1024,
};

/** An id a client may choose: printable, so that it can stand in logs and URLs; 200 characters. */
const Id = z
  .string()
  .max(200)
  .regex(/^[^\p{Cc}]+$/u, "must be printable and not empty");
const Metadata = z.record(z.string(), z.unknown());
const Names = { filename: z.string().max(255), mediaType: z.string().max(255) };
const Content = z.discriminatedUnion(
  "$case",
  [
    z.object({ $case: z.literal("text"), value: z.string() }),
    z.object({ $case: z.literal("raw"), value: z.instanceof(Buffer) }),
    z.object({ $case: z.literal("url"), value: z.string().max(8_192) }),
    z.object({ $case: z.literal("data"), value: z.unknown() }),
  ],
  "needs one of text, raw, url, data",
);
const IncomingPart = z.object({ content: Content, metadata: Metadata.optional(), ...Names });

/** Ids that clients leave out come as empty strings from the SDK. */
const OptionalId = z.union([z.literal("").transform(() => undefined), Id]).optional();

const IncomingMessage = z.object({
  messageId: Id,
  contextId: OptionalId,
  taskId: OptionalId,
  role: z.literal(Role.ROLE_USER, "must be the user's"),
  parts: z.array(z.unknown()),
  metadata: Metadata.optional(),
});

const TaskId = z.object({ id: Id });
const HistoryLength = z.int().min(0).optional();

/**
 * The message of a request as the tasks take it.
 *
 * Metadata of the message wins over metadata of the request.
 *
 * @throws RequestMalformedError (-32602) with the path of everything that is wrong.
 */
export function toSendRequest(
  agent: ObjectRef,
  request: SendMessageRequest,
  limits: MessageLimits,
): SendRequest {
  const message = parsed(IncomingMessage, request.message ?? {}, "message");
  const { messageId, contextId, taskId } = message;
  const metadata = parsed(Metadata.optional(), request.metadata, "metadata");
  return {
    agent,
    messageId,
    parts: toParts(message.parts, limits),
    metadata: { ...metadata, ...message.metadata },
    ...(contextId === undefined ? {} : { contextId }),
    ...(taskId === undefined ? {} : { taskId }),
  };
}

/** @throws RequestMalformedError (-32602) unless it is an id. */
export function checkTaskId(id: unknown): string {
  return parsed(TaskId, { id }, "params").id;
}

/** @throws RequestMalformedError (-32602) unless it is absent or a whole number from 0. */
export function checkHistoryLength(length: unknown): number | undefined {
  return parsed(HistoryLength, length ?? undefined, "historyLength");
}

/** @throws RequestMalformedError (-32602) with every violation. */
export function parsed<T>(schema: z.ZodType<T>, input: unknown, root: string): T {
  const result = check(schema, input, root);
  if (!result.ok) throw new RequestMalformedError({ message: sentence(result.violations) });
  return result.value;
}

function toParts(input: readonly unknown[], limits: MessageLimits): Part[] {
  if (input.length === 0) throw malformed("message.parts: must not be empty");
  if (input.length > limits.maxParts)
    throw malformed(`message.parts: ${input.length} parts, at most ${limits.maxParts} are taken`);
  let textBytes = 0;
  let fileBytes = 0;
  const parts = input.map((item, index) => {
    const part = parsed(IncomingPart, item, `message.parts[${index}]`);
    const { $case, value } = part.content;
    if ($case === "text") textBytes += Buffer.byteLength(value);
    if ($case === "raw") fileBytes += value.length;
    return fromWirePart({ ...part, metadata: part.metadata });
  });
  if (textBytes > limits.maxTextBytes)
    throw malformed(`message.parts: ${textBytes} bytes of text, at most ${limits.maxTextBytes}`);
  if (fileBytes > limits.maxFileBytes)
    throw malformed(`message.parts: ${fileBytes} bytes of files, at most ${limits.maxFileBytes}`);
  return parts;
}

function malformed(message: string): RequestMalformedError {
  return new RequestMalformedError({ message });
}
