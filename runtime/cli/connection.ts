import { userInfo } from "node:os";
import { resolve } from "node:path";
import { HEADERS, type ObjectRef } from "../api/names.ts";
import { readRunFile } from "../local/run-file.ts";
import { CommandError, EXIT } from "./output.ts";

/** Data directory of a local run unless it says otherwise; relative to the working directory. */
export const DATA_DIRECTORY = ".kagent";
/** Port of the HTTP API of a platform that left no run file. */
const DEFAULT_URL = "http://127.0.0.1:8083";
/** Longest wait for an answer of the HTTP API. */
const API_TIMEOUT_MS = 30_000;

/** A platform the command talks to. */
export interface Connection {
  /** Base URL of the HTTP API, without a slash at its end. */
  readonly url: string;
  /** Sent with every request. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The platform that `--kagent-url` names, else the local run, else the default address. */
export function connect(url: string | undefined): Connection {
  const run = url === undefined ? readRunFile(resolve(DATA_DIRECTORY)) : undefined;
  const base = url ?? run?.apiUrl ?? DEFAULT_URL;
  if (!URL.canParse(base)) throw new CommandError(`--kagent-url: ${base} is no URL`, EXIT.usage);
  return { url: base.replace(/\/+$/, ""), headers: identity(process.env["KAGENT_TOKEN"]) };
}

/** Who asks: a controller believes the token, a laptop the name. */
function identity(token: string | undefined): Readonly<Record<string, string>> {
  const name = { [HEADERS.userId]: userInfo().username };
  return token === undefined || token === "" ? name : { ...name, authorization: `Bearer ${token}` };
}

/** A2A endpoint of an agent. */
export function agentUrl({ url }: Connection, { namespace, name }: ObjectRef): string {
  return `${url}/api/a2a/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}/`;
}

/** How to start what did not answer. */
export function unreachable({ url }: Connection, cause: unknown): CommandError {
  return new CommandError(
    `no platform answers at ${url}. Start one with 'npm start', or name one with --kagent-url.`,
    EXIT.unreachable,
    { cause },
  );
}

/**
 * Reads from the HTTP API.
 *
 * @returns What the answer's `data` holds, or the whole body of an endpoint without envelope.
 * @throws CommandError `unreachable`, or `failed` with the server's words.
 */
export async function readApi(connection: Connection, path: string): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(`${connection.url}${path}`, {
      headers: connection.headers,
      signal: AbortSignal.timeout(API_TIMEOUT_MS),
    });
  } catch (error) {
    throw unreachable(connection, error);
  }
  const body = (await response.json().catch(() => undefined)) as
    | { readonly error?: unknown; readonly data?: unknown }
    | undefined;
  if (!response.ok)
    throw new CommandError(
      typeof body?.error === "string" ? body.error : `HTTP ${response.status} at ${path}`,
      EXIT.failed,
    );
  return body !== undefined && "data" in body ? body.data : body;
}
