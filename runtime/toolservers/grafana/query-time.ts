import * as z from "zod";
import { optionalText } from "../arguments.ts";
import { ToolFailure } from "../define-tool.ts";
import { parseDuration } from "../duration-text.ts";
import type { TimeRange } from "./observability-source.ts";

/** A moment as tools take it. */
export function momentArgument(description: string) {
  return z.preprocess(
    (value) => (typeof value === "number" ? String(value) : value),
    optionalText(40, `${description}: now, now-1h, an RFC 3339 time or seconds since 1970`),
  );
}

/** 30 days: longer ranges take a server longer than a model should wait. */
const MAX_RANGE_MS = 30 * 24 * 3_600_000;
const HOUR_MS = 3_600_000;

/** The moment `text` names, in milliseconds since 1970. @throws ToolFailure when it names none. */
export function moment(text: string, now: number): number {
  const word = text.trim();
  if (word === "now") return now;
  const [, sign, span] = /^(?:now)?([+-])(\S+)$/.exec(word) ?? [];
  const ms = span === undefined ? undefined : parseDuration(span);
  if (ms !== undefined) return now + (sign === "+" ? ms : -ms);
  // seconds have ten digits in this age, milliseconds thirteen
  if (/^\d{9,10}(\.\d+)?$/.test(word)) return Number(word) * 1000;
  if (/^\d{12,13}$/.test(word)) return Number(word);
  const date = /^\d{4}-\d{2}-\d{2}/.test(word) ? Date.parse(word) : NaN;
  if (Number.isNaN(date))
    throw new ToolFailure(
      `"${word}" is no time; use now, now-1h or an RFC 3339 time such as 2026-01-31T12:00:00Z`,
    );
  return date;
}

/** The range between two moments; the last hour before its end unless a start is given. @throws ToolFailure */
export function timeRange(
  { start, end }: { readonly start?: string | undefined; readonly end?: string | undefined },
  now: number,
): TimeRange {
  const to = moment(end ?? "now", now);
  const from = start === undefined ? to - HOUR_MS : moment(start, now);
  if (from >= to) throw new ToolFailure("the time range ends before it starts");
  if (to - from > MAX_RANGE_MS) throw new ToolFailure("the time range is longer than 30 days");
  return { from, to };
}

/** A moment as RFC 3339 without milliseconds. */
export function timeText(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, "Z");
}
