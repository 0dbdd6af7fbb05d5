import { EvaluationError, type ParseResult, parse } from "@marcbachmann/cel-js";
import type * as z from "zod";

/** A rule over several fields of one node, said once for the API server and for zod. */
export interface Rule {
  /** CEL over `self`, the node the rule hangs on; true where the rule holds. */
  readonly rule: string;
  /** What is wrong where it does not hold; one line. */
  readonly message: string;
  /** Field of the node that is to blame, e.g. `.name`; the node itself when absent. */
  readonly fieldPath?: string;
}

/** Key of a schema's metadata, and of a CRD, under which rules stand. */
const VALIDATIONS = "x-kubernetes-validations";

/**
 * `schema` with rules: as `x-kubernetes-validations` in its metadata, so that the CRD has them, and as a
 * zod check that evaluates the same expressions on the value with its defaults filled in, as the API
 * server does. A violation stands at the node (plus `fieldPath`), as the API server reports it.
 *
 * A rule runs although other fields are wrong. It is left out where a field that it reads has a
 * value of the wrong type or outside its enumeration, which is reported by itself, and where the
 * node is no object. An expression that cannot be evaluated, as when it reads a field that is
 * absent, counts as broken; the API server sees it that way too.
 *
 * @param schema - An object schema; the rules it has already are kept.
 * @throws ParseError where the schema is first used, if a rule is no CEL.
 * @see https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/#validation-rules
 */
export function withRules<S extends z.ZodType>(schema: S, rules: readonly Rule[]): S {
  const meta = schema.meta();
  const programs = rules.map((rule) => new Program(rule));
  // True only where every rule is: one evaluation instead of many for what is sound.
  const all = new Program({ rule: rules.map(({ rule }) => `(${rule})`).join(" && "), message: "" });
  return schema
    .superRefine(
      (self, context) => {
        if (all.problem(self) === undefined) return;
        // Only what the schema found: rules do not block one another.
        const found = [...context.issues];
        for (const program of programs) {
          if (found.some((issue) => program.isBlockedBy(issue))) continue;
          const message = program.problem(self);
          if (message !== undefined)
            context.addIssue({ code: "custom", path: program.path(), message });
        }
      },
      { when: ({ value }) => typeof value === "object" && value !== null && !Array.isArray(value) },
    )
    .meta({ ...meta, [VALIDATIONS]: [...knownRules(meta), ...rules] });
}

function knownRules(meta: Readonly<Record<string, unknown>> | undefined): readonly unknown[] {
  const rules = meta?.[VALIDATIONS];
  return Array.isArray(rules) ? rules : [];
}

/** Codes of issues that leave nothing to judge at their path. */
const TYPE_CODES = new Set(["invalid_type", "invalid_value", "invalid_union"]);

/** One rule, compiled when it is first needed: start-up must not pay for rules that never run. */
class Program {
  readonly #rule: Rule;
  #evaluate: ParseResult | undefined;
  #reads: readonly (readonly string[])[] | undefined;

  constructor(rule: Rule) {
    this.#rule = rule;
  }

  /** Path of the violation below the node; a new array, for zod extends it in place. */
  path(): PropertyKey[] {
    return this.#rule.fieldPath?.slice(1).split(".") ?? [];
  }

  /** What is wrong with `self`; `undefined` where the rule holds. */
  problem(self: unknown): string | undefined {
    const { rule, message } = this.#rule;
    this.#evaluate ??= parse(rule);
    try {
      return this.#evaluate({ self }) === true ? undefined : message;
    } catch (error) {
      // Whatever the value, the rule is not known to hold.
      return `${message} (${summaryOf(error)}, in the rule ${rule})`;
    }
  }

  /** Whether a field that the rule reads, or an item of such a list, has no value to judge. */
  isBlockedBy({ code, path = [] }: z.core.$ZodRawIssue): boolean {
    this.#reads ??= readPaths(this.#rule.rule);
    return TYPE_CODES.has(code) && this.#reads.some((names) => isAtOrAbove(path, names));
  }
}

function summaryOf(error: unknown): string {
  return error instanceof EvaluationError ? error.summary : "cannot be evaluated";
}

/** Paths below `self` in a rule; the name of a method at the end of a path is no field. */
function readPaths(rule: string): readonly (readonly string[])[] {
  return [...rule.matchAll(/\bself((?:\.\w+)+)(\s*\()?/g)].map(([, path = "", call]) => {
    const names = path.slice(1).split(".");
    return call === undefined ? names : names.slice(0, -1);
  });
}

/** Whether `path` is `names`, above it, or an item of the list there. */
function isAtOrAbove(path: readonly PropertyKey[], names: readonly string[]): boolean {
  const shared = Math.min(path.length, names.length);
  for (let i = 0; i < shared; i++) if (path[i] !== names[i]) return false;
  return path.slice(shared).every((key) => typeof key === "number");
}
