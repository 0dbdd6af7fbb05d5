import { createHash } from "node:crypto";

/** Longest name of a function on the wire. */
const MAX_LENGTH = 64;
/** Hexadecimal digits that keep shortened names apart. */
const DIGITS = 8;

/**
 * Names of tools as the wire takes them: letters, digits, `_` and `-`, at most 64.
 *
 * Names that fit stay as they are; others are shortened with a hash, the same one in every request.
 */
export class ToolNames {
  readonly #described = new Map<string, string>();

  /** @param names - As tools are described to the model. */
  constructor(names: readonly string[]) {
    for (const name of names) this.#described.set(wireName(name), name);
  }

  /** Name on the wire. */
  wire(name: string): string {
    return wireName(name);
  }

  /** Name as the tool was described; one that the model made up stays as it is. */
  described(name: string): string {
    return this.#described.get(name) ?? name;
  }
}

function wireName(name: string): string {
  if (name.length <= MAX_LENGTH && /^[A-Za-z0-9_-]+$/.test(name)) return name;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, DIGITS);
  const head = name.replaceAll(/[^A-Za-z0-9_-]/g, "_").slice(0, MAX_LENGTH - DIGITS - 1);
  return `${head}_${digest}`;
}
