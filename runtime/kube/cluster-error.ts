import * as z from "zod";
import { ClusterError, type ClusterErrorCode } from "../api/cluster-reader.ts";

const BY_STATUS: Readonly<Record<number, ClusterErrorCode>> = {
  401: "unauthorized",
  403: "forbidden",
  404: "not-found",
  408: "timeout",
  409: "conflict",
  410: "expired",
  429: "unreachable",
  504: "timeout",
};

/** Reasons that say more than the HTTP status. */
const BY_REASON: Readonly<Record<string, ClusterErrorCode>> = {
  AlreadyExists: "exists",
  Expired: "expired",
  Gone: "expired",
};

/** A Status of the API server, as far as it is read. */
const StatusBody = z.object({
  message: z.string(),
  reason: z.string().nullish(),
  details: z.object({ name: z.string().nullish() }).nullish(),
});

/** 2,000 characters of what a server says: every wrong field of an object, no pages. */
const MAX_MESSAGE = 2_000;

/** The API server answered, and not with what was asked for. */
export class ApiStatusError extends ClusterError {
  /** HTTP status. */
  readonly status: number;
  /** Name of the object the answer is about; absent when e.g. the kind itself is unknown. */
  readonly object: string | undefined;

  constructor(
    code: ClusterErrorCode,
    message: string,
    about: { readonly status: number; readonly object: string | undefined },
  ) {
    super(code, message);
    this.status = about.status;
    this.object = about.object;
  }
}

/**
 * The error behind an answer of the API server that is not 2xx.
 *
 * @param status - HTTP status.
 * @param body - As received; a Status object in JSON, or anything.
 */
export function statusError(status: number, body: string): ApiStatusError {
  return statusObjectError(status, parsedJson(body));
}

/**
 * The error that a Status object tells.
 *
 * @param status - HTTP status.
 */
export function statusObjectError(status: number, object: unknown): ApiStatusError {
  const said = StatusBody.safeParse(object).data;
  const known = BY_REASON[said?.reason ?? ""] ?? BY_STATUS[status];
  const code = known ?? (status >= 500 ? "unreachable" : "invalid");
  const message = said?.message ?? "";
  const shown = message === "" ? `the API server answered ${status}` : message;
  const about = { status, object: said?.details?.name ?? undefined };
  return new ApiStatusError(code, scrub(shown.slice(0, MAX_MESSAGE)), about);
}

function parsedJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
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
