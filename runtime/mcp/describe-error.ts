/** Most characters of an error's message in a log line. */
const MAX_LENGTH = 300;

/** Words that stand before a credential, and addresses that carry one. */
const CREDENTIALS: readonly (readonly [RegExp, string])[] = [
  [/\b(bearer|basic)\s+[^\s"',;]+/gi, "$1 ***"],
  [
    /\b(\w{0,40}(?:token|password|passwd|secret|api[-_]?key|authorization))(["']?\s{0,3}[:=]\s{0,3})[^\s,;&]+/gi,
    "$1$2***",
  ],
  [/:\/\/[^\s/@]{1,200}@/g, "://***@"],
];

/** `error` for a log line: its name, code and message, cut and without what looks like a credential. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const code = "code" in error && typeof error.code === "string" ? ` ${error.code}` : "";
  const message = CREDENTIALS.reduce(
    (text, [pattern, mask]) => text.replace(pattern, mask),
    error.message.slice(0, MAX_LENGTH),
  );
  return `${error.name}${code}: ${message}`;
}
