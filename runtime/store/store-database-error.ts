/** Why the database of a store cannot be used. */
export type StoreDatabaseReason =
  | "unreachable"
  | "refused"
  | "tls"
  | "busy"
  | "full"
  | "no-pgvector"
  | "newer";

const REMEDIES: Readonly<Record<StoreDatabaseReason, string>> = {
  unreachable: "it cannot be reached; check its address, the network and that it runs",
  refused: "it does not let us in; check user, password, database and their rights",
  tls: "it offers no TLS that we trust; check sslmode and sslrootcert of the address",
  busy: "it takes too long or has too many connections; look at its load and its locks",
  full: "its disk or memory is full; free some space",
  "no-pgvector":
    "it has no pgvector, or we may not enable it; let an administrator run: create extension vector",
  newer: "a newer version of this program wrote it; run that version",
};

/** Reasons that pass by themselves. */
const PASSING: ReadonlySet<StoreDatabaseReason> = new Set(["unreachable", "busy"]);

/** The Postgres database cannot be used; the message names its address, without user and password, and the remedy. */
export class StoreDatabaseError extends Error {
  override readonly name = "StoreDatabaseError";
  /** `host:port/database`. */
  readonly address: string;
  /** What is wrong with it. */
  readonly reason: StoreDatabaseReason;
  /** Whether the same call may pass later, without anybody acting. */
  readonly retryable: boolean;

  constructor(address: string, reason: StoreDatabaseReason, options?: ErrorOptions) {
    super(`failed to use store ${address}: ${REMEDIES[reason]}`, options);
    this.address = address;
    this.reason = reason;
    this.retryable = PASSING.has(reason);
  }
}

/** SQLSTATEs (https://www.postgresql.org/docs/16/errcodes-appendix.html) that blame the database, not the query. */
const STATES: ReadonlyMap<string, StoreDatabaseReason> = new Map([
  ["25P03", "busy"], // idle_in_transaction_session_timeout: it has closed the connection
  ["28000", "refused"],
  ["28P01", "refused"], // invalid_password
  ["3D000", "refused"], // no such database
  ["42501", "refused"], // insufficient_privilege
  ["53100", "full"],
  ["53200", "full"],
  ["53300", "busy"], // too_many_connections
  ["55P03", "busy"], // lock_not_available
  ["57014", "busy"], // query_canceled: our time limit
  ["57P01", "unreachable"], // shutting down
  ["57P02", "unreachable"],
  ["57P03", "unreachable"], // starting up
]);

/** Codes and texts of the system, of TLS and of the client library. */
const SIGNS: readonly (readonly [RegExp, StoreDatabaseReason])[] = [
  [/timeout exceeded when trying to connect|Query read timeout/, "busy"],
  // a file that sslrootcert, sslcert or sslkey names
  [/, open '/, "tls"],
  [/CERT|ALTNAME|UNABLE_TO|does not support SSL|SSL alert|ERR_SSL/, "tls"],
  [
    /^E(?!RR_)[A-Z_]+$|^connect E|^08|Connection terminated|connection error|not queryable/,
    "unreachable",
  ],
];

/** `error` as a {@link StoreDatabaseError} when the database at `address` is to blame; else `error` itself. */
export function blameDatabase(address: string, error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if (error instanceof StoreDatabaseError) return error;
  // Not there, or not ours to enable.
  if (error.message.includes('extension "vector"')) {
    return new StoreDatabaseError(address, "no-pgvector", { cause: error });
  }
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  const reason =
    STATES.get(code) ??
    SIGNS.find(
      ([sign]) => sign.test(code) || (!isFromServer(error) && sign.test(error.message)),
    )?.[1];
  return reason === undefined ? error : new StoreDatabaseError(address, reason, { cause: error });
}

/** Whether the server itself said it, in answer to a statement: the connection is in order then. */
export function isFromServer(error: unknown): boolean {
  return error instanceof Error && "severity" in error;
}
