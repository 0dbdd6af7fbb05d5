import * as z from "zod";
import { parseDuration } from "../duration-text.ts";

const WORDS = /^(today|yesterday|week|lastweek|month|lastmonth)$/;
const TIME = String.raw`\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z`;
const PAIR = new RegExp(`^(${TIME}),(${TIME})$`);
/** 90 days: OpenCost keeps less by default. */
const MAX_MS = 90 * 24 * 3_600_000;
const DAY = 24 * 3_600_000;

/** A window as tools take it. */
export const WindowArgument = z
  .string()
  .trim()
  .max(64)
  .refine((text) => windowMs(text, 0) !== undefined, {
    message:
      "must be a duration up to 90d such as 24h or 7d, today, yesterday, week, lastweek, month, lastmonth, or two times such as 2026-01-01T00:00:00Z,2026-01-08T00:00:00Z",
  })
  .describe(
    "Time range: 24h, 7d, today, yesterday, lastweek, month, or two RFC 3339 times with a comma",
  );

/** Length of a window in milliseconds at `now`, or `undefined` when it is none. */
export function windowMs(text: string, now: number): number | undefined {
  if (WORDS.test(text)) return wordMs(text, new Date(now));
  const pair = PAIR.exec(text);
  const ms =
    pair === null ? parseDuration(text) : Date.parse(pair[2] ?? "") - Date.parse(pair[1] ?? "");
  return ms !== undefined && ms > 0 && ms <= MAX_MS ? ms : undefined;
}

function wordMs(word: string, now: Date): number {
  const midnight = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), now.getUTCDate());
  const month = Date.UTC(now.getUTCFullYear(), now.getUTCMonth(), 1);
  switch (word) {
    case "today":
      return now.getTime() - midnight;
    case "yesterday":
      return DAY;
    case "week":
      return now.getTime() - (midnight - now.getUTCDay() * DAY);
    case "lastweek":
      return 7 * DAY;
    case "lastmonth":
      return month - Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - 1, 1);
    default:
      return now.getTime() - month;
  }
}
