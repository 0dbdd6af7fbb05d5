import type * as z from "zod";
import { text } from "./text.ts";

/** 32 characters: the longest duration that makes sense has one number for each unit. */
const MAX_LENGTH = 32;
const UNIT_MS = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

/**
 * A span of time in Go's form with the units h, m, s and ms: `300s`, `1m30s`, `1.5h`.
 *
 * @see https://pkg.go.dev/time#ParseDuration
 */
export const Duration: z.ZodString = text(1, MAX_LENGTH).regex(
  /^([0-9]+(\.[0-9]+)?(h|m|s|ms))+$/,
  'must be a duration such as "30s", "1m30s" or "1.5h"',
);

/**
 * Milliseconds of a {@link Duration}.
 *
 * @throws RangeError for any other string.
 * @example
 * toMs("1m30s"); // 90000
 */
export function toMs(duration: string): number {
  if (!Duration.safeParse(duration).success)
    throw new RangeError(`failed to read the duration ${JSON.stringify(duration)}`);
  let total = 0;
  for (const [, count, unit] of duration.matchAll(/([0-9.]+)(ms|h|m|s)/g)) {
    total += Number(count) * UNIT_MS[unit as keyof typeof UNIT_MS];
  }
  return total;
}
