/** Why the file of a store cannot be used. */
export type StoreFileReason = "in-use" | "damaged" | "newer" | "full" | "unusable";

const REMEDIES: Readonly<Record<StoreFileReason, string>> = {
  "in-use": "another process uses it; stop that process or choose another data folder",
  damaged:
    "it is damaged or no SQLite database; move it and its -wal file away to start with an empty store",
  newer: "a newer version of this program wrote it; run that version or choose another data folder",
  full: "its disk is full; free some space",
  unusable: "it cannot be read and written; check its folder, its permissions and its disk",
};

/**
 * The database file cannot be used; the message names the file and the remedy.
 *
 * A retry helps for `in-use` and `full` only, and only after somebody acted.
 */
export class StoreFileError extends Error {
  override readonly name = "StoreFileError";
  /** The file, as it was given. */
  readonly path: string;
  /** What is wrong with it. */
  readonly reason: StoreFileReason;

  constructor(path: string, reason: StoreFileReason, options?: ErrorOptions) {
    super(`failed to use store ${path}: ${REMEDIES[reason]}`, options);
    this.path = path;
    this.reason = reason;
  }
}

/** Primary result codes of SQLite (https://sqlite.org/rescode.html) that blame the file, not the query. */
const REASONS: ReadonlyMap<number, StoreFileReason> = new Map([
  [3, "unusable"], // PERM
  [5, "in-use"], // BUSY
  [8, "unusable"], // READONLY
  [10, "unusable"], // IOERR
  [11, "damaged"], // CORRUPT
  [13, "full"], // FULL
  [14, "unusable"], // CANTOPEN
  [26, "damaged"], // NOTADB
]);

/** `error` as a {@link StoreFileError} when SQLite blames the file at `path`; else `error` itself. */
export function blameFile(path: string, error: unknown): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if (!("errcode" in error) || typeof error.errcode !== "number") return error;
  // Extended codes carry the primary one in their lowest byte.
  const reason = REASONS.get(error.errcode & 0xff);
  return reason === undefined ? error : new StoreFileError(path, reason, { cause: error });
}
