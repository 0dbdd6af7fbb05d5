/** 512 characters: keys of the database; UUIDs take 36, ids that clients choose may be longer. */
const MAX_ID_LENGTH = 512;

/**
 * `id` if it can be a key.
 *
 * NUL has no place in Postgres text, and half a surrogate pair would be stored as another id.
 *
 * @param what - Named in the error, e.g. `task id`.
 * @throws RangeError otherwise.
 */
export function checkId(what: string, id: string): string {
  if (id.length === 0 || id.length > MAX_ID_LENGTH) {
    throw new RangeError(`failed to store ${what}: 1 to ${MAX_ID_LENGTH} characters are allowed`);
  }
  if (id.includes("\0") || !id.isWellFormed()) {
    throw new RangeError(`failed to store ${what}: it is no well-formed text`);
  }
  return id;
}

/** `text` with U+FFFD for what cannot be stored: NUL, and halves of surrogate pairs. */
export function storable(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}

/** `limit` if it is a whole number of rows. @throws RangeError otherwise. */
export function checkLimit(limit: number): number {
  if (Number.isSafeInteger(limit) && limit >= 0) return limit;
  throw new RangeError(`failed to list: limit ${limit} is no number of rows`);
}

/** `limit` if it is a whole number from 1 to `most`. @throws RangeError otherwise. */
export function checkLimitWithin(limit: number, most: number): number {
  if (Number.isSafeInteger(limit) && limit >= 1 && limit <= most) return limit;
  throw new RangeError(`failed to list: limit ${limit} is not within 1 to ${most}`);
}

/** `text` if it is not blank and has at most `most` characters, as it can be stored. @throws RangeError otherwise. */
export function checkText(what: string, text: string, most: number): string {
  if (text.trim() === "") throw new RangeError(`failed to store ${what}: it is blank`);
  if (text.length > most) {
    throw new RangeError(`failed to store ${what}: it is over ${most} characters`);
  }
  return storable(text);
}

/** A time (RFC 3339) in the one form of it that sorts as text. @throws RangeError when it is none. */
export function instant(time: string): string {
  const ms = Date.parse(time);
  if (Number.isNaN(ms)) throw new RangeError("failed to store: a time is no RFC 3339 time");
  return new Date(ms).toISOString();
}
