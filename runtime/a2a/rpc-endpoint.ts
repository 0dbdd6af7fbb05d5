import { validateVersion } from "@a2a-js/sdk/server";
import type { Context } from "hono";
import type { ObjectRef } from "../api/names.ts";
import { systemClock } from "../process/clock.ts";
import { BodyTooLargeError, readBody } from "../process/request-body.ts";
import type { A2aAppOptions } from "./app-options.ts";
import { agentCard, type CardSource, VERSIONS, type Version } from "./card.ts";
import { RPC_CODE } from "./errors.ts";
import { refuse, requestedVersion } from "./http-answers.ts";
import { AgentRequestHandler } from "./request-handler.ts";
import { answerRpc, parseRpc, streamFailure } from "./rpc.ts";
import { eventStreamResponse } from "./sse.ts";
import { MESSAGE_LIMITS } from "./wire-in.ts";

/** 1 MiB of JSON: bounds memory per request. Raise with `maxBodyBytes` of the app. */
const MAX_BODY_BYTES = 1024 * 1024;

/** The agent that is asked. */
export interface AskedAgent {
  readonly ref: ObjectRef;
  readonly source: CardSource;
  /** Its address on its card. */
  readonly url: string;
}

/** Answers one JSON-RPC request, by an object or by a stream. */
export async function serveRpc(
  options: A2aAppOptions,
  { ref, source, url }: AskedAgent,
  context: Context,
): Promise<Response> {
  const card = agentCard(source, url);
  const version = requestedVersion(context);
  try {
    validateVersion(version, card, "JSONRPC");
  } catch {
    const message = `A2A version ${version.slice(0, 20)} is not served; ${VERSIONS.join(" and ")} are`;
    return refuse(context, 400, RPC_CODE.version, message);
  }
  const text = await readJson(options, context);
  if (typeof text !== "string") return text;
  const parsed = parseRpc(text);
  if (!parsed.ok) return context.json(parsed.answer as object);
  const gone = new AbortController();
  const leave = (): void => {
    gone.abort();
  };
  const { signal } = context.req.raw;
  signal.addEventListener("abort", leave);
  const over = (): void => {
    signal.removeEventListener("abort", leave);
    leave();
  };
  const handler = new AgentRequestHandler({
    agent: ref,
    card,
    tasks: options.tasks,
    caller: await options.caller(context.req.raw),
    clock: options.clock ?? systemClock,
    log: options.log,
    limits: options.limits ?? MESSAGE_LIMITS,
    gone: gone.signal,
  });
  const answer = await answerRpc(parsed.request, version as Version, handler);
  if (answer.kind === "single") {
    over();
    return context.json(answer.body as object);
  }
  const failed = (error: unknown) => streamFailure(parsed.request, version as Version, error);
  const { first, rest } = answer;
  return eventStreamResponse({ first, rest, failed, over }, options.clock ?? systemClock);
}

/** The body, or the answer that refuses it. */
async function readJson(options: A2aAppOptions, context: Context): Promise<string | Response> {
  const type = context.req.header("content-type")?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  if (type !== "application/json" && type !== "application/a2a+json") {
    const message = "the content type must be application/json";
    return refuse(context, 415, RPC_CODE.contentType, message);
  }
  try {
    return await readBody(context.req.raw, options.maxBodyBytes ?? MAX_BODY_BYTES);
  } catch (error) {
    if (!(error instanceof BodyTooLargeError)) throw error;
    context.header("connection", "close"); // what is left of the body is not worth a connection
    return refuse(context, 413, RPC_CODE.invalidRequest, error.message);
  }
}
