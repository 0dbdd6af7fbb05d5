import * as z from "zod";

/**
 * A number written as a string, e.g. `"0.1"`: what kagent has where Kubernetes has no floats. Empty means
 * unset, as forms write it.
 */
export const NumericString = z
  .string()
  .regex(
    /^([+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?)?$/,
    'must be a number written as a string, such as "0.7"',
  );

/** The number of a {@link NumericString}; `undefined` where it is absent or empty. */
export function toNumber(value: string | undefined): number | undefined {
  return value === undefined || value === "" ? undefined : Number(value);
}
