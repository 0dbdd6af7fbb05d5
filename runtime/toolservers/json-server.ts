import { clip } from "./bounded-text.ts";
import { ToolFailure } from "./define-tool.ts";
import { firstText, textAt } from "./json-value.ts";
import { REDACTED, redactText } from "./redact.ts";

/** A server that tools read JSON from; its address comes from the configuration, never from a model. */
export interface JsonServer {
  /** As answers name it, e.g. `Grafana`. */
  readonly name: string;
  /** Base address; a path is kept, user and password become basic authentication. */
  readonly url: string;
  /** Sent as bearer token; never part of an error. */
  readonly token?: string | undefined;
  /** Longest time for one request in milliseconds; {@link DEFAULT_TIMEOUT_MS} unless set. */
  readonly timeoutMs?: number;
}

/** One read. */
export interface JsonRequest {
  /** Below the base address, beginning with `/`. */
  readonly path: string;
  /** Query string; `undefined` leaves a parameter out. */
  readonly query?: Readonly<Record<string, string | number | undefined>>;
}

/** 15 s: a query over hours of metrics or costs takes seconds; a model should not wait longer for a dead server. */
const DEFAULT_TIMEOUT_MS = 15_000;
/** 2 MiB for one answer: bounds memory per call; a narrower query is the way out. */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024;
const MAX_ERROR_TEXT = 400;

/**
 * The JSON that `server` answers to a GET.
 *
 * @throws ToolFailure when it cannot be reached, refuses, redirects, is too slow or answers too much or no JSON.
 * @throws The signal's reason after an abort.
 */
export async function getJson(
  server: JsonServer,
  request: JsonRequest,
  signal: AbortSignal,
): Promise<unknown> {
  signal.throwIfAborted();
  const timeoutMs = server.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    return await read(server, request, AbortSignal.any([signal, limit]));
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ToolFailure) throw error;
    const what = limit.aborted
      ? `did not answer within ${timeoutMs / 1000} s; a shorter time range may help`
      : `cannot be reached${codeOf(error)}`;
    throw new ToolFailure(`${server.name} ${what}`, { cause: error });
  }
}

async function read(
  server: JsonServer,
  request: JsonRequest,
  signal: AbortSignal,
): Promise<unknown> {
  const { url, authorization } = addressOf(server, request);
  const response = await fetch(url, {
    headers: { accept: "application/json", ...authorization },
    // a redirect could carry the token to another host
    redirect: "manual",
    signal,
  });
  const text = await bodyOf(server.name, response);
  if (!response.ok) throw refusal(server, response.status, text);
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new ToolFailure(`${server.name} did not answer with JSON`, { cause: error });
  }
}

function addressOf(server: JsonServer, request: JsonRequest) {
  const base = new URL(server.url);
  const url = new URL(base.origin);
  url.pathname = `${base.pathname.replace(/\/+$/, "")}${request.path}`;
  for (const [name, value] of Object.entries(request.query ?? {}))
    if (value !== undefined) url.searchParams.set(name, String(value));
  const user = `${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`;
  const authorization =
    server.token === undefined
      ? user === ":"
        ? undefined
        : `Basic ${Buffer.from(user).toString("base64")}`
      : `Bearer ${server.token}`;
  return { url, authorization: authorization === undefined ? {} : { authorization } };
}

async function bodyOf(name: string, response: Response): Promise<string> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let size = 0;
  // leaving the loop by an error cancels the stream
  for await (const chunk of response.body) {
    const bytes = chunk as Uint8Array;
    size += bytes.byteLength;
    if (size > MAX_ANSWER_BYTES)
      throw new ToolFailure(
        `${name} answered more than ${MAX_ANSWER_BYTES / 1024 / 1024} MiB; narrow the query or the time range`,
      );
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function refusal(server: JsonServer, status: number, body: string): ToolFailure {
  const { name } = server;
  if (status >= 300 && status < 400)
    return new ToolFailure(
      `${name} redirects elsewhere (status ${status}); a person has to configure its final address`,
    );
  if (status === 401)
    return new ToolFailure(
      `${name} does not accept the platform's credentials; a person has to renew them`,
    );
  const reason = reasonIn(server, body);
  const what = status === 403 ? "does not allow this to the platform" : `answered ${status}`;
  return new ToolFailure(`${name} ${what}${reason === "" ? "" : `: ${reason}`}`);
}

function reasonIn({ token }: JsonServer, body: string): string {
  let said: string;
  try {
    const parsed: unknown = JSON.parse(body);
    said = firstText(textAt(parsed, "error"), textAt(parsed, "message"));
  } catch {
    // Loki says what is wrong with a query in plain text; a page of HTML says nothing
    said = /^\s*</.test(body) ? "" : body;
  }
  const known = token === undefined ? said : said.replaceAll(token, REDACTED);
  return clip(redactText(known).replace(/\s+/g, " ").trim(), MAX_ERROR_TEXT);
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = textAt(cause, "code");
  return code === "" ? "" : ` (${code})`;
}
