/** 32 KiB of UTF-8 per answer: what a window of 16384 tokens can still hold beside the talk around it. */
export const MAX_RESULT_BYTES = 32 * 1024;

/** Lists longer than this are trimmed to {@link HEAD_ROWS} + {@link TAIL_ROWS} (reference-platform.md section 1). */
const MAX_ROWS = 30;
const HEAD_ROWS = 20;
const TAIL_ROWS = 5;

/** A list as it is shown. */
export interface TrimmedRows<T> {
  /** Rows before the gap, or all of them. */
  readonly head: readonly T[];
  /** Rows after the gap. */
  readonly tail: readonly T[];
  /** Rows left out. */
  readonly leftOut: readonly T[];
}

/** `rows`, or its first 20 and last 5 when there are more than 30. */
export function trimRows<T>(rows: readonly T[]): TrimmedRows<T> {
  if (rows.length <= MAX_ROWS) return { head: rows, tail: [], leftOut: [] };
  const from = rows.length - TAIL_ROWS;
  return {
    head: rows.slice(0, HEAD_ROWS),
    tail: rows.slice(from),
    leftOut: rows.slice(HEAD_ROWS, from),
  };
}

/** Lines longer than the two ends together lose their middle, which a marker line counts. */
export function trimLines(lines: readonly string[], head = 100, tail = 100): readonly string[] {
  const gap = lines.length - head - tail;
  if (gap <= 0) return lines;
  return [
    ...lines.slice(0, head),
    `... ${gap} of ${lines.length} lines left out ...`,
    ...lines.slice(lines.length - tail),
  ];
}

/** `text` with at most `max` characters; what is cut off is counted. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text;
  const cut = text.slice(0, max);
  // never half of a surrogate pair
  const whole = /[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut;
  return `${whole}... (${text.length - whole.length} more characters)`;
}

/**
 * `text` with at most `maxBytes` of UTF-8 plus one marker line: two thirds from its start, one third from
 * its end, cut between lines where lines are short enough, never inside a character.
 */
export function boundBytes(text: string, maxBytes = MAX_RESULT_BYTES): string {
  const bytes = Buffer.from(text, "utf8");
  if (bytes.length <= maxBytes) return text;
  const headEnd = cutBefore(bytes, Math.floor((maxBytes * 2) / 3));
  const tailStart = cutAfter(bytes, bytes.length - Math.floor(maxBytes / 3));
  const head = bytes.subarray(0, headEnd).toString("utf8");
  const tail = bytes.subarray(tailStart).toString("utf8");
  const gap = tailStart - headEnd;
  return `${head}${head.endsWith("\n") ? "" : "\n"}... ${gap} of ${bytes.length} bytes left out ...\n${tail}`;
}

/** 1 KiB: how far a cut may move to fall between two lines. */
const LINE_SEARCH_BYTES = 1024;
const LINE_FEED = 0x0a;

function cutBefore(bytes: Buffer, limit: number): number {
  const line = bytes.lastIndexOf(LINE_FEED, limit - 1);
  if (line >= 0 && line > limit - LINE_SEARCH_BYTES) return line + 1;
  let at = limit;
  while (at > 0 && isContinuation(bytes[at])) at -= 1;
  return at;
}

function cutAfter(bytes: Buffer, limit: number): number {
  const line = bytes.indexOf(LINE_FEED, limit);
  if (line >= 0 && line < limit + LINE_SEARCH_BYTES) return line + 1;
  let at = limit;
  while (at < bytes.length && isContinuation(bytes[at])) at += 1;
  return at;
}

function isContinuation(byte: number | undefined): boolean {
  return byte !== undefined && (byte & 0xc0) === 0x80;
}
