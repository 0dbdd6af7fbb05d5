import { type Context, createContext, Script } from "node:vm";
import { ToolFailure } from "../define-tool.ts";

/** 300 characters: longer patterns are generated, not written. */
const MAX_LENGTH = 300;
/** 250 ms for one pattern over all texts of a call: backtracking that explodes ends there. */
const TIMEOUT_MS = 250;

/** Pattern and texts go in as JSON and answers come out as JSON: nothing of this process is reachable from inside. */
const SCRIPT = new Script(
  "{ const { source, flags, texts } = JSON.parse(input); const regex = new RegExp(source, flags);" +
    " JSON.stringify(texts.map((text) => regex.test(text))) }",
);

let context: Context | undefined;

/**
 * A regular expression that a model wrote, for demo data; `(?i)` in front ignores case.
 *
 * JavaScript's engine backtracks, which that of Prometheus and Loki does not, so it runs under a time limit.
 */
export class QueryRegex {
  readonly #source: string;
  readonly #flags: string;
  readonly #known = new Map<string, boolean>();

  /**
   * @param anchor - `whole`: the pattern covers the text, as for labels; `part`: it may be anywhere in it.
   * @throws ToolFailure when it is malformed or too long.
   */
  constructor(pattern: string, anchor: "whole" | "part") {
    if (pattern.length > MAX_LENGTH)
      throw new ToolFailure(`a regular expression may have ${MAX_LENGTH} characters at most`);
    const ignoresCase = pattern.startsWith("(?i)");
    const bare = ignoresCase ? pattern.slice("(?i)".length) : pattern;
    this.#source = anchor === "whole" ? `^(?:${bare})$` : bare;
    this.#flags = ignoresCase ? "is" : "s";
    this.testAll([]);
  }

  /** Which of `texts` match. @throws ToolFailure when that takes too long. */
  testAll(texts: readonly string[]): readonly boolean[] {
    context ??= createContext({});
    context["input"] = JSON.stringify({ source: this.#source, flags: this.#flags, texts });
    try {
      const answer: unknown = SCRIPT.runInContext(context, { timeout: TIMEOUT_MS });
      return JSON.parse(String(answer)) as boolean[];
    } catch (error) {
      throw new ToolFailure("a regular expression of the query is invalid or takes too long", {
        cause: error,
      });
    }
  }

  /** Whether `text` matches; meant for texts that come again, such as values of labels. */
  test(text: string): boolean {
    const known = this.#known.get(text) ?? this.testAll([text])[0] ?? false;
    this.#known.set(text, known);
    return known;
  }
}
