import type { RoutingRule, RoutingTable } from "./agent-config.ts";
import type { EventOf } from "./events.ts";
import { type ObjectRef, refKey } from "./names.ts";
import { PhraseIndex } from "./phrase-index.ts";
import { fold, tokens } from "./words.ts";

/** Where a request goes and why; what a `routing` event says, with agents as references. */
export interface RoutingDecision {
  /**
   * `rule`: rules matched; `follow-up`: none did, the last route of the context is kept; else none did
   * and the table's `onNoMatch` holds, `default` being an agent.
   */
  readonly outcome: EventOf<"routing">["outcome"];
  /** Rules that won, best first; empty unless `outcome` is `rule`. */
  readonly rules: readonly string[];
  /** Agents the request goes to, in the order of `rules`; each once. */
  readonly agents: readonly ObjectRef[];
  /** By `namespace/name` of one of `agents`, who is asked for the state before it; absent where nobody is. */
  readonly readFirst?: Readonly<Record<string, ObjectRef>>;
  /** Matched keywords as declared, for every rule that scored. */
  readonly matched: Readonly<Record<string, readonly string[]>>;
  /** Number of distinct keywords that matched, for every rule that scored. */
  readonly scores: Readonly<Record<string, number>>;
}

/** A table prepared for many texts. */
export interface CompiledRouting {
  readonly table: RoutingTable;
  readonly keywords: PhraseIndex<Hit>;
  /** `namespace/name` of every agent a request may go to. */
  readonly targets: ReadonlySet<string>;
}

/** A remark about a routing table. */
export interface RoutingRemark {
  /** `error`: the table does not do what it says; `warning`: it may surprise. */
  readonly severity: "error" | "warning";
  /** Path below the table, e.g. `rules[1].keywords[0]`. */
  readonly path: string;
  /** For people. */
  readonly message: string;
}

interface Hit {
  readonly rule: number;
  readonly keyword: number;
}

interface Scored {
  readonly rule: RoutingRule;
  readonly order: number;
  readonly matched: readonly string[];
}

/** Prepares a table once, so that each decision is one pass over the words of a text. */
export function compileRouting(table: RoutingTable): CompiledRouting {
  const keywords = new PhraseIndex<Hit>();
  for (const [rule, { keywords: declared }] of table.rules.entries())
    for (const keyword of distinct(declared))
      keywords.add(declared[keyword] ?? "", { rule, keyword });
  const targets = new Set(table.rules.map(({ agent }) => refKey(agent)));
  if (typeof table.onNoMatch !== "string") targets.add(refKey(table.onNoMatch));
  return { table, keywords, targets };
}

/**
 * Decides where `text` goes (product.md section 4, decisions 6): the same text, table and last route
 * give the same decision.
 *
 * A keyword counts once however often it occurs. Higher priority wins, then the higher number of
 * distinct keywords, then the order of declaration. With `maxDelegates` above one the best rules with
 * different agents run together.
 *
 * @param routing - Compile the table once when there are many texts.
 * @param lastRoute - Agents of the decision before in the same context: kept when nothing matches.
 */
export function route(
  text: string,
  routing: RoutingTable | CompiledRouting,
  lastRoute: readonly ObjectRef[] = [],
): RoutingDecision {
  const { table, keywords, targets } = "rules" in routing ? compileRouting(routing) : routing;
  const scored = scores(table.rules, keywords.find(tokens(fold(text))));
  if (scored.length === 0) return unmatched(table.onNoMatch, targets, lastRoute);
  const winners = best(scored, table.maxDelegates);
  return {
    outcome: "rule",
    rules: winners.map(({ rule }) => rule.name),
    agents: winners.map(({ rule }) => rule.agent),
    ...readFirstOf(winners),
    matched: Object.fromEntries(scored.map(({ rule, matched }) => [rule.name, matched])),
    scores: Object.fromEntries(scored.map(({ rule, matched }) => [rule.name, matched.length])),
  };
}

/**
 * What is wrong or doubtful about a table: names used twice, keywords of which nothing is left,
 * rules with the same keywords and priority, keywords of several rules, rules that can never win, agents
 * that would be read from before they are asked.
 */
export function lintRouting(table: RoutingTable): readonly RoutingRemark[] {
  return [
    ...nameRemarks(table.rules),
    ...keywordRemarks(table.rules),
    ...sharedKeywordRemarks(table.rules),
    ...deadRuleRemarks(table),
    ...readFirstRemarks(table.rules),
  ];
}

function scores(rules: readonly RoutingRule[], hits: readonly Hit[]): readonly Scored[] {
  const byRule = new Map<number, Set<number>>();
  for (const { rule, keyword } of hits) {
    const matched = byRule.get(rule);
    if (matched === undefined) byRule.set(rule, new Set([keyword]));
    else matched.add(keyword);
  }
  return rules.flatMap((rule, order) => {
    const matched = byRule.get(order);
    if (matched === undefined) return [];
    return [{ rule, order, matched: rule.keywords.filter((_, keyword) => matched.has(keyword)) }];
  });
}

function best(scored: readonly Scored[], count: number): readonly Scored[] {
  const ranked = scored.toSorted(
    (a, b) =>
      b.rule.priority - a.rule.priority || b.matched.length - a.matched.length || a.order - b.order,
  );
  const agents = new Set<string>();
  const winners: Scored[] = [];
  for (const candidate of ranked) {
    const agent = refKey(candidate.rule.agent);
    if (winners.length >= count || agents.has(agent)) continue;
    agents.add(agent);
    winners.push(candidate);
  }
  return winners;
}

function readFirstOf(winners: readonly Scored[]): Pick<RoutingDecision, "readFirst"> {
  const readers = winners.flatMap(({ rule: { agent, readFirst } }) =>
    readFirst === undefined ? [] : [[refKey(agent), readFirst] as const],
  );
  return readers.length === 0 ? {} : { readFirst: Object.fromEntries(readers) };
}

function unmatched(
  onNoMatch: RoutingTable["onNoMatch"],
  targets: ReadonlySet<string>,
  lastRoute: readonly ObjectRef[],
): RoutingDecision {
  const nothing = { rules: [], agents: [], matched: {}, scores: {} };
  // The table may have changed since: a target it no longer has is nobody to follow up with.
  if (lastRoute.length > 0 && lastRoute.every((agent) => targets.has(refKey(agent))))
    return { ...nothing, outcome: "follow-up", agents: lastRoute };
  if (typeof onNoMatch === "string") return { ...nothing, outcome: onNoMatch };
  return { ...nothing, outcome: "default", agents: [onNoMatch] };
}

/** Form in which two keywords are the same; empty when nothing is left to look for. */
function keywordKey(keyword: string): string {
  const found = tokens(fold(keyword));
  return found.some(({ word }) => word) ? found.map(({ text }) => text).join(" ") : "";
}

/** Positions of the keywords that differ from all before them. */
function distinct(keywords: readonly string[]): readonly number[] {
  const seen = new Set<string>();
  return [...keywords.keys()].filter((position) => {
    const key = keywordKey(keywords[position] ?? "");
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}

function nameRemarks(rules: readonly RoutingRule[]): readonly RoutingRemark[] {
  const first = new Map<string, number>();
  return rules.flatMap(({ name }, at): readonly RoutingRemark[] => {
    const before = first.get(name);
    if (before === undefined) first.set(name, at);
    if (before === undefined) return [];
    const message = `the name "${name}" is that of rules[${before}] already`;
    return [{ severity: "error", path: `rules[${at}].name`, message }];
  });
}

function readFirstRemarks(rules: readonly RoutingRule[]): readonly RoutingRemark[] {
  return rules.flatMap(({ agent, readFirst }, at): readonly RoutingRemark[] => {
    if (readFirst === undefined || refKey(readFirst) !== refKey(agent)) return [];
    const message = `${refKey(agent)} is where a match goes already; name another Agent, or none`;
    return [{ severity: "error", path: `rules[${at}].readFirst`, message }];
  });
}

function keywordRemarks(rules: readonly RoutingRule[]): readonly RoutingRemark[] {
  return rules.flatMap(({ keywords }, rule) => {
    const kept = new Set(distinct(keywords));
    return keywords.flatMap((keyword, at): readonly RoutingRemark[] => {
      const path = `rules[${rule}].keywords[${at}]`;
      if (keywordKey(keyword) === "")
        return [{ severity: "error", path, message: "holds no letter or digit, so never matches" }];
      if (kept.has(at)) return [];
      return [{ severity: "warning", path, message: `"${keyword}" is in this rule already` }];
    });
  });
}

function sharedKeywordRemarks(rules: readonly RoutingRule[]): readonly RoutingRemark[] {
  const owner = new Map<string, number>();
  return rules.flatMap(({ keywords }, rule) =>
    distinct(keywords).flatMap((at): readonly RoutingRemark[] => {
      const keyword = keywords[at] ?? "";
      const key = keywordKey(keyword);
      const other = owner.get(key);
      if (other === undefined) owner.set(key, rule);
      if (other === undefined || key === "") return [];
      const message = `"${keyword}" is a keyword of rule "${rules[other]?.name ?? ""}" too`;
      return [{ severity: "warning", path: `rules[${rule}].keywords[${at}]`, message }];
    }),
  );
}

/** Rules that lose whatever the text: those an earlier rule covers, and those always outranked. */
function deadRuleRemarks(table: RoutingTable): readonly RoutingRemark[] {
  const { rules } = table;
  const index = new PhraseIndex<number>();
  for (const [order, { keywords }] of rules.entries())
    for (const keyword of keywords) index.add(keyword, order);
  const sets = rules.map(({ keywords }) => new Set(keywords.map(keywordKey)));

  return rules.flatMap((rule, order): readonly RoutingRemark[] => {
    const path = `rules[${order}]`;
    const message = coveredBy(table, sets, order) ?? outranked(table, index, rule);
    return message === undefined ? [] : [{ severity: "error", path, message }];
  });
}

/** Words for a rule whose keywords an earlier rule of the same priority has all. */
function coveredBy(
  { rules, maxDelegates }: RoutingTable,
  sets: readonly ReadonlySet<string>[],
  order: number,
): string | undefined {
  const rule = rules[order];
  const own = sets[order] ?? new Set();
  for (const [at, other] of rules.slice(0, order).entries()) {
    const theirs = sets[at] ?? new Set();
    if (other.priority !== rule?.priority || ![...own].every((key) => theirs.has(key))) continue;
    if (theirs.size === own.size)
      return `has the same keywords and priority as rule "${other.name}"`;
    if (maxDelegates === 1 || refKey(other.agent) === refKey(rule.agent))
      return `can never win: rule "${other.name}" comes first, with all of its keywords and the same priority`;
  }
  return undefined;
}

/** Words for a rule that never matches without enough rules of higher priority matching as well. */
function outranked(
  { rules, maxDelegates }: RoutingTable,
  index: PhraseIndex<number>,
  rule: RoutingRule,
): string | undefined {
  const never = rule.keywords.every((keyword) => {
    const ahead = index
      .find(tokens(fold(keyword)))
      .flatMap((at) => rules[at] ?? [])
      .filter(({ priority }) => priority > rule.priority);
    const agents = new Set(ahead.map(({ agent }) => refKey(agent)));
    return agents.size >= maxDelegates || agents.has(refKey(rule.agent));
  });
  if (!never || rule.keywords.length === 0) return undefined;
  return "can never win: a rule of higher priority matches whenever this one does";
}
