import * as z from "zod";
import { ClusterError, type ClusterErrorCode } from "../api/cluster-reader.ts";

const BY_STATUS: Readonly<Record<number, ClusterErrorCode>> = {
  401: "unauthorized",
  403: "forbidden",
  404: "not-found",
  408: "timeout",
  429: "unreachable",
  504: "timeout",
};

/** A Status of the API server, as far as it is read. */
const StatusBody = z.object({ message: z.string() });

/** 500 characters of what a server says: whole sentences, no pages. */
const MAX_MESSAGE = 500;

/**
 * The error behind an answer of the API server that is not 2xx.
 *
 * @param status - HTTP status.
 * @param body - As received; a Status object in JSON, or anything.
 */
export function statusError(status: number, body: string): ClusterError {
  const code = BY_STATUS[status] ?? (status >= 500 ? "unreachable" : "invalid");
  const said = statusMessage(body);
  const message = said === "" ? `the API server answered ${status}` : said;
  return new ClusterError(code, scrub(message.slice(0, MAX_MESSAGE)));
}

function statusMessage(body: string): string {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return "";
  }
  const parsed = StatusBody.safeParse(json);
  return parsed.success ? parsed.data.message : "";
}

/** The error behind a request that got no answer. */
export function networkError(server: string, cause: unknown): ClusterError {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  const why = typeof code === "string" ? code : "no answer";
  return new ClusterError("unreachable", `no connection to ${server} (${why})`, { cause });
}

/** Tokens and passwords in `text` blanked: what a server repeats of a request must not travel on. */
function scrub(text: string): string {
  return text
    .replace(/\b(Bearer|Basic)\s+\S+/gi, "$1 <redacted>")
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]+/g, "<redacted>")
    .replace(/(\/\/[^\s/:@]*):[^\s/@]*@/g, "$1:<redacted>@");
}
