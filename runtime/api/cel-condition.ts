import { type ASTNode, Environment, type ParseResult } from "@marcbachmann/cel-js";

/** A condition that authors write: how it is evaluated, or why it is no condition. */
export type Predicate =
  | { readonly ok: true; readonly holds: (values: Readonly<Record<string, unknown>>) => boolean }
  | { readonly ok: false; readonly problem: string };

/** Bounds of a condition's syntax tree: what people write is far below. */
const LIMITS = { maxAstNodes: 500, maxDepth: 24 };
/** 2 loops within each other: a third makes the time grow with the cube of an answer's size. */
const MAX_NESTED_LOOPS = 2;
const LOOPS = new Set(["all", "exists", "exists_one", "filter", "map"]);

/**
 * A CEL condition over named variables, each a JSON value.
 *
 * `holds` never throws: a condition that cannot be evaluated (a field that is not there, two types
 * that do not compare) does not hold. Its time is bounded: no regular expressions, which backtrack
 * here, and no loops deeper than two.
 *
 * @param source - The condition; must be of type bool.
 * @param variables - Names it may use; any other name is a problem.
 * @example
 * const when = parseCondition("output.verdict == 'incident'", ["output"]);
 * when.ok && when.holds({ output: { verdict: "incident" } }); // true
 */
export function parseCondition(source: string, variables: readonly string[]): Predicate {
  const environment = new Environment({ limits: LIMITS });
  for (const name of variables) environment.registerVariable(name, "dyn");
  const { valid, type, error } = environment.check(source);
  if (!valid) return { ok: false, problem: syntaxProblem(error) };
  if (type !== "bool" && type !== "dyn")
    return { ok: false, problem: `is no condition: it is of type ${String(type)}, not bool` };
  const evaluate = environment.parse(source);
  const problem = timeProblem(evaluate.ast, 0);
  return problem === undefined ? { ok: true, holds: holdsBy(evaluate) } : { ok: false, problem };
}

function holdsBy(evaluate: ParseResult): (values: Readonly<Record<string, unknown>>) => boolean {
  return (values) => {
    try {
      return evaluate({ ...values }) === true;
    } catch {
      return false;
    }
  };
}

function syntaxProblem(error: { summary: string; range?: { start: number } } | undefined): string {
  const at = error?.range === undefined ? "" : ` at character ${error.range.start + 1}`;
  return `is no CEL condition${at}: ${error?.summary ?? "cannot be parsed"}`;
}

/** Why evaluating `node`, inside of `loops` loops, may take long; `undefined` where it cannot. */
function timeProblem(node: ASTNode, loops: number): string | undefined {
  if (node.op !== "rcall") return firstProblem(node.args, loops);
  const [name] = node.args;
  if (name === "matches") return "must not use matches; use contains, startsWith or endsWith";
  const inside = LOOPS.has(name) ? loops + 1 : loops;
  if (inside > MAX_NESTED_LOOPS) return `must not have more than ${MAX_NESTED_LOOPS} nested loops`;
  return firstProblem(node.args, inside);
}

/** The first problem among the nodes in `part` of a syntax tree. */
function firstProblem(part: unknown, loops: number): string | undefined {
  if (Array.isArray(part)) {
    for (const item of part) {
      const problem = firstProblem(item, loops);
      if (problem !== undefined) return problem;
    }
    return undefined;
  }
  return isNode(part) ? timeProblem(part, loops) : undefined;
}

function isNode(part: unknown): part is ASTNode {
  return typeof part === "object" && part !== null && "op" in part && "args" in part;
}
