/** One object and what every voice has to say of it: zod here, the API server in test/cluster. */
export interface ObjectCase {
  /** A claim: "takes ...", "refuses ...". */
  readonly claim: string;
  /** The whole object. */
  readonly object: Readonly<Record<string, unknown>>;
  /** Paths of the violations in order; empty where the object is sound. */
  readonly paths: readonly string[];
  /** What the first violation says. */
  readonly message?: RegExp;
  /** What the API server says where it cannot say the same. */
  readonly server?: readonly string[];
}

/** A sound object. */
export function takes(what: string, object: ObjectCase["object"]): ObjectCase {
  return { claim: `takes ${what}`, object, paths: [] };
}

/** An object with violations at `paths`, the first of which says `message`. */
export function refuses(
  what: string,
  object: ObjectCase["object"],
  paths: string | readonly string[],
  message: RegExp,
): ObjectCase {
  const list = typeof paths === "string" ? [paths] : paths;
  return { claim: `refuses ${what}`, object, paths: list, message };
}

/** An object that breaks a rule which only zod and the webhook know: the API server takes it. */
export function refusesHere(
  what: string,
  object: ObjectCase["object"],
  path: string,
  message: RegExp,
): ObjectCase {
  return { ...refuses(what, object, path, message), server: [] };
}

/** A list of `count` items. */
export function times<T>(count: number, item: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => item(index));
}
