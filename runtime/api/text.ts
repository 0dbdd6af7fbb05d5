import * as z from "zod";

/**
 * String of `min` to `max` characters, counted as the API server counts: code points, not UTF-16 units.
 *
 * A string out of bounds is not looked at further, so patterns behind it see short strings only.
 */
export function text(min: number, max = Number.MAX_SAFE_INTEGER): z.ZodString {
  const bounds = {
    ...(min > 0 && { minLength: min }),
    ...(max < Number.MAX_SAFE_INTEGER && { maxLength: max }),
  };
  return z
    .string()
    .refine((value) => lengthProblem(value, min, max) === undefined, {
      abort: true,
      error: ({ input }) => lengthProblem(String(input), min, max),
    })
    .meta(bounds);
}

function lengthProblem(value: string, min: number, max: number): string | undefined {
  // A code point takes at most two units: most strings need no count.
  if (value.length >= 2 * min && value.length <= max) return undefined;
  const length = codePoints(value);
  if (length > max) return `must have at most ${max} characters, has ${length}`;
  if (length >= min) return undefined;
  return min === 1 ? "must not be empty" : `must have at least ${min} characters, has ${length}`;
}

function codePoints(value: string): number {
  return value.length - (value.match(/[\uD800-\uDBFF][\uDC00-\uDFFF]/g)?.length ?? 0);
}
