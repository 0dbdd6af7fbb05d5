import { ToolFailure } from "../define-tool.ts";

/** A word of a query. */
export interface Token {
  readonly kind: "name" | "number" | "duration" | "text" | "sign";
  /** Text without its quotes. */
  readonly text: string;
}

const TOKEN =
  /\s*(?:(?<duration>\d+(?:ms|[smhdwy])(?:\d+(?:ms|[smhdwy]))*)(?![\w.])|(?<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)(?!\w)|(?<name>[A-Za-z_][\w:.]*)|"(?<double>(?:[^"\\]|\\.)*)"|'(?<single>(?:[^'\\]|\\.)*)'|`(?<raw>[^`]*)`|(?<sign>=~|!~|\|=|\|~|==|!=|>=|<=|[-+*/%(){}[\],=<>|]))/y;

/** The words of a PromQL or LogQL query. @throws ToolFailure at a character that belongs to none. */
function tokensOf(query: string): readonly Token[] {
  const tokens: Token[] = [];
  const end = query.trimEnd().length;
  let at = 0;
  while (at < end) {
    TOKEN.lastIndex = at;
    const groups = TOKEN.exec(query)?.groups;
    if (groups === undefined)
      throw new ToolFailure(`the query cannot be read at character ${at + 1}`);
    at = TOKEN.lastIndex;
    tokens.push(tokenOf(groups));
  }
  return tokens;
}

function tokenOf(groups: Readonly<Record<string, string | undefined>>): Token {
  for (const kind of ["duration", "number", "name", "sign"] as const) {
    const text = groups[kind];
    if (text !== undefined) return { kind, text };
  }
  const quoted = groups["double"] ?? groups["single"];
  if (quoted === undefined) return { kind: "text", text: groups["raw"] ?? "" };
  return {
    kind: "text",
    text: quoted.replace(/\\(.)/g, (_, char: string) => ESCAPES[char] ?? char),
  };
}

const ESCAPES: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r" };

/** Reads tokens one after the other. */
export class TokenReader {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(query: string) {
    this.#tokens = tokensOf(query);
  }

  /** The next token, not taken. */
  peek(ahead = 0): Token | undefined {
    return this.#tokens[this.#at + ahead];
  }

  /** Takes the next token. @throws ToolFailure at the end of the query. */
  take(): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new ToolFailure("the query ends too early");
    this.#at += 1;
    return token;
  }

  /** Whether the next token is `sign`; takes it then. */
  skip(sign: string): boolean {
    const next = this.peek();
    if (next?.kind !== "sign" || next.text !== sign) return false;
    this.#at += 1;
    return true;
  }

  /** Takes `sign`. @throws ToolFailure when something else comes. */
  expect(sign: string): void {
    if (this.skip(sign)) return;
    throw new ToolFailure(`the query has ${this.place()} where ${sign} should be`);
  }

  /** Takes a token of a kind. @throws ToolFailure when something else comes. */
  expectKind(kind: Token["kind"]): string {
    if (this.peek()?.kind === kind) return this.take().text;
    throw new ToolFailure(`the query has ${this.place()} where a ${kind} should be`);
  }

  /** What comes next, in words. */
  place(): string {
    const next = this.peek();
    return next === undefined ? "its end" : `"${next.text}"`;
  }
}
