/** What a template may say. */
export interface PromptScope {
  /** By name, without the dot: `AgentName`. */
  readonly variables: Readonly<Record<string, string | readonly string[]>>;
  /** Text for `include "path"`, not expanded; or why there is none. */
  readonly include: (path: string) => { readonly text: string } | { readonly problem: string };
}

/** The text, or everything that is wrong, each with line and column. */
type RenderedPrompt =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly problems: readonly string[] };

/** 16 blocks inside one another: more than a prompt needs, and bounds the depth of the search. */
const MAX_DEPTH = 16;
/** 900 Ki characters: no more fit into the Secret that brings them to a worker. */
const MAX_TEXT = 900 * 1024;
/** 20 problems of one prompt: the first ones tell people what they need. */
const MAX_PROBLEMS = 20;

/**
 * Expands a system message written as a Go text/template, as far as prompts need it: `{{include "source/key"}}`,
 * `{{.Name}}`, `{{len .Name}}`, `{{range .Names}}{{.}}{{else}}{{end}}`, `{{if .Name}}{{else}}{{end}}`, comments, and the
 * dashes that trim white space. Every other action is a problem.
 *
 * @see https://pkg.go.dev/text/template
 */
export function renderPrompt(template: string, scope: PromptScope): RenderedPrompt {
  const parser = new Parser(template, scope);
  const nodes = parser.parse();
  if (parser.problems.length > 0) return { ok: false, problems: parser.problems };
  const output = new Output();
  output.add(nodes, undefined);
  const text = output.text();
  return text === undefined
    ? { ok: false, problems: [`the text is longer than ${MAX_TEXT} characters`] }
    : { ok: true, text };
}

type Value = string | readonly string[];

/** A part of a template; every name in it is known. */
type Node =
  | { readonly kind: "text"; readonly text: string }
  /** The item of the list around it. */
  | { readonly kind: "item" }
  | { readonly kind: "range"; readonly items: readonly string[]; readonly body: Body }
  | { readonly kind: "if"; readonly holds: boolean; readonly body: Body };

/** What a block shows: `then`, or `otherwise` for an empty value. */
interface Body {
  readonly then: readonly Node[];
  readonly otherwise: readonly Node[];
}

/** Text that stops growing where it is too long: a list of names may repeat a long fragment. */
class Output {
  readonly #parts: string[] = [];
  #length = 0;

  /** @param item - Of the list around the nodes. */
  add(nodes: readonly Node[], item: string | undefined): void {
    for (const node of nodes) {
      if (this.#length > MAX_TEXT) return;
      if (node.kind === "text") this.#push(node.text);
      else if (node.kind === "item") this.#push(item ?? "");
      else if (node.kind === "if")
        this.add(node.holds ? node.body.then : node.body.otherwise, item);
      else if (node.items.length === 0) this.add(node.body.otherwise, item);
      else for (const each of node.items) this.add(node.body.then, each);
    }
  }

  /** `undefined` when it is too long. */
  text(): string | undefined {
    return this.#length > MAX_TEXT ? undefined : this.#parts.join("");
  }

  #push(text: string): void {
    this.#parts.push(text);
    this.#length += text.length;
  }
}

type Token =
  | { readonly kind: "text"; readonly text: string }
  /** What stands between the braces, at an offset. */
  | { readonly kind: "action"; readonly action: string; readonly at: number }
  | { readonly kind: "unclosed"; readonly at: number };

/** Texts and actions in order; each character is looked at a few times at most. */
function tokens(template: string): readonly Token[] {
  const found: Token[] = [];
  let from = 0;
  let isTrimmed = false;
  const text = (until: number, trimsEnd: boolean): void => {
    let piece = template.slice(from, until);
    if (isTrimmed) piece = piece.trimStart();
    if (trimsEnd) piece = piece.trimEnd();
    if (piece !== "") found.push({ kind: "text", text: piece });
  };
  for (;;) {
    const at = template.indexOf("{{", from);
    if (at < 0) break;
    // In Go a dash trims only with white space beside it.
    const trimsBefore = /^-\s/.test(template.slice(at + 2, at + 4));
    const end = actionEnd(template, trimsBefore ? at + 3 : at + 2);
    text(at, trimsBefore);
    if (end === undefined) {
      found.push({ kind: "unclosed", at });
      return found;
    }
    isTrimmed = /\s-$/.test(template.slice(Math.max(at + 2, end - 2), end));
    const action = template.slice(trimsBefore ? at + 3 : at + 2, isTrimmed ? end - 1 : end).trim();
    found.push({ kind: "action", action, at });
    from = end + 2;
  }
  text(template.length, false);
  return found;
}

/** Offset of the braces that close an action which begins at `from`; those in quotes and comments close none. */
function actionEnd(template: string, from: number): number | undefined {
  const isComment = template
    .slice(from, from + 16)
    .trimStart()
    .startsWith("/*");
  const start = isComment ? template.indexOf("*/", from) : from;
  if (start < 0) return undefined;
  // Sticky: goes on where it stopped, over one quoted text or one other character at a time.
  const part = /"(?:[^"\\\n]|\\.)*"|`[^`]*`|\}\}|[^"`]/gy;
  part.lastIndex = start;
  for (let match = part.exec(template); match !== null; match = part.exec(template))
    if (match[0] === "}}") return match.index;
  return undefined;
}

function position(template: string, index: number): string {
  const lines = template.slice(0, index).split("\n");
  return `line ${lines.length}, column ${(lines.at(-1) ?? "").length + 1}`;
}

/** The word that closes a block. */
interface Close {
  readonly word: "else" | "end";
  readonly at: number;
}

class Parser {
  readonly problems: string[] = [];
  readonly #template: string;
  readonly #tokens: readonly Token[];
  readonly #scope: PromptScope;
  #next = 0;

  constructor(template: string, scope: PromptScope) {
    this.#template = template;
    this.#tokens = tokens(template);
    this.#scope = scope;
  }

  parse(): readonly Node[] {
    const nodes: Node[] = [];
    for (;;) {
      const part = this.#nodes({ inRange: false, depth: 0 });
      nodes.push(...part.nodes);
      if (part.close === undefined) return nodes;
      this.#problem(part.close.at, `{{${part.close.word}}} without a block`);
    }
  }

  /** Up to the word that closes the block, or to the end of the template. */
  #nodes(place: Place): { readonly nodes: readonly Node[]; readonly close?: Close } {
    const nodes: Node[] = [];
    for (;;) {
      const token = this.#tokens[this.#next++];
      if (token === undefined) return { nodes };
      if (token.kind === "text") nodes.push(token);
      else if (token.kind === "unclosed") this.#problem(token.at, "{{ without }}");
      else if (token.action === "else" || token.action === "end")
        return { nodes, close: { word: token.action, at: token.at } };
      else if (!isComment(token.action)) nodes.push(...this.#action(token.action, token.at, place));
    }
  }

  #action(action: string, at: number, place: Place): readonly Node[] {
    const [, word, operand = ""] = /^(range|if|include|len)\s+(\S[\s\S]*)$/.exec(action) ?? [];
    if (word === "include") return this.#include(operand, at);
    if (word === "range" || word === "if") return this.#block(word, operand, at, place);
    if (action === "." && place.inRange) return [{ kind: "item" }];
    const value = this.#value(word === "len" ? operand : action, action, at, place);
    if (value === undefined) return [];
    return [{ kind: "text", text: word === "len" ? String(sizeOf(value)) : printed(value) }];
  }

  #block(word: "range" | "if", operand: string, at: number, place: Place): readonly Node[] {
    // Lists in lists: the text would grow without bounds, and there is nothing to say with it.
    if (word === "range" && place.inRange) this.#problem(at, "a range inside a range");
    if (place.depth === MAX_DEPTH) {
      this.#problem(at, `more than ${MAX_DEPTH} blocks inside one another`);
      this.#next = this.#tokens.length;
      return [];
    }
    const value = this.#value(operand, `${word} ${operand}`, at, place);
    const depth = place.depth + 1;
    const body = this.#body(`{{${word} ${shown(operand)}}}`, at, {
      then: { depth, inRange: place.inRange || word === "range" },
      // Where a list is empty there is no item.
      otherwise: { depth, inRange: place.inRange },
    });
    if (value === undefined) return [];
    if (word === "if") return [{ kind: "if", holds: value.length > 0, body }];
    if (typeof value !== "string") return [{ kind: "range", items: value, body }];
    this.#problem(at, `${operand} is no list: range cannot go through it`);
    return [];
  }

  #body(title: string, at: number, places: Readonly<Record<keyof Body, Place>>): Body {
    let part = this.#nodes(places.then);
    const then = part.nodes;
    const otherwise: Node[] = [];
    for (let count = 1; part.close?.word === "else"; count++) {
      if (count > 1) this.#problem(part.close.at, "a second {{else}}");
      part = this.#nodes(places.otherwise);
      otherwise.push(...part.nodes);
    }
    if (part.close === undefined) this.#problem(at, `${title} without {{end}}`);
    return { then, otherwise };
  }

  #include(operand: string, at: number): readonly Node[] {
    const [, quoted, raw] = /^(?:"((?:[^"\\]|\\["\\])*)"|`([^`]*)`)$/.exec(operand) ?? [];
    const path = raw ?? quoted?.replace(/\\(.)/g, "$1");
    if (path === undefined) {
      this.#problem(at, 'include wants one path in quotes, such as {{include "prompts/tone"}}');
      return [];
    }
    const found = this.#scope.include(path);
    if ("text" in found) return [{ kind: "text", text: found.text }];
    this.#problem(at, found.problem);
    return [];
  }

  #value(operand: string, action: string, at: number, { inRange }: Place): Value | undefined {
    const [, root, name] = /^(\$?)\.(\w+)$/.exec(operand) ?? [];
    const { variables } = this.#scope;
    if (name === undefined || !Object.hasOwn(variables, name)) {
      const known = Object.keys(variables).map((each) => `.${each}`);
      this.#problem(
        at,
        `unknown action {{${shown(action)}}}; there are include, ${known.join(", ")}`,
      );
      return undefined;
    }
    if (inRange && root === "")
      this.#problem(at, `inside range a dot is the item; write {{$.${name}}}`);
    return variables[name];
  }

  #problem(at: number, message: string): void {
    if (this.problems.length < MAX_PROBLEMS)
      this.problems.push(`${position(this.#template, at)}: ${message}`);
  }
}

/** Where in the template a part stands. */
interface Place {
  readonly inRange: boolean;
  readonly depth: number;
}

function isComment(action: string): boolean {
  return action.startsWith("/*") && action.endsWith("*/");
}

/** As Go prints it. */
function printed(value: Value): string {
  return typeof value === "string" ? value : `[${value.join(" ")}]`;
}

/** As Go's `len`: bytes of a string. */
function sizeOf(value: Value): number {
  return typeof value === "string" ? Buffer.byteLength(value) : value.length;
}

/** The beginning of an action: a prompt does not belong into a message. */
function shown(action: string): string {
  return action.length <= 40 ? action : `${action.slice(0, 40)}...`;
}
