import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import type { RoutingRule, RoutingTable } from "../../../runtime/api/agent-config.ts";
import { compileRouting, lintRouting, route } from "../../../runtime/api/routing.ts";

const ref = (name: string) => ({ namespace: "ns", name });
const rule = (name: string, keywords: readonly string[], priority = 0, agent = name) =>
  ({ name, keywords, priority, agent: ref(agent) }) satisfies RoutingRule;
const table = (
  rules: readonly RoutingRule[],
  rest: Partial<Omit<RoutingTable, "rules">> = {},
): RoutingTable => ({ rules, onNoMatch: "clarify", maxDelegates: 1, ...rest });

const TABLE = table(
  [
    rule("metrics", ["dashboard", "error rate", "all clusters", "straße", "C++"], 10),
    rule("git", ["pull request", "PR", "commit", "right-size"], 5),
    rule("pods", ["pod", "pods", "node", "request"]),
    rule("cost", ["cost", "pods"]),
  ],
  { onNoMatch: ref("pods") },
);

const agentOf = (text: string, routing = TABLE) =>
  route(text, routing)
    .agents.map(({ name }) => name)
    .join(" ");

const WINS: readonly (readonly [string, string, string])[] = [
  ["which PODS fail?", "pods", "case does not count"],
  ["ＰＯＤ", "pods", "compatible forms are one"],
  ["po\u200Bd", "pods", "invisible characters do not hide a word"],
  ["show the dashboard of the pods", "metrics", "priority beats the number of words"],
  ["the cost of pods", "cost", "the number of words beats order"],
  ["pods", "pods", "order decides last"],
  ["open a pull\n request", "git", "a phrase may be broken by white space"],
  ["open a pull-request", "git", "a phrase may be joined by a dash"],
  ['a "right size" for it', "git", "dashes and quotes are white space"],
  ["STRASSE", "metrics", "folding is full"],
  ["is it C++?", "metrics", "marks inside a keyword count"],
  ["pr: fix", "git", "punctuation ends a word"],
];

const MISSES: readonly (readonly [string, string])[] = [
  ["the podium", "a word is not found inside another"],
  ["p\u00F3d", "accents count"],
  ["errors rate", "a phrase is found whole"],
  ["error. Rate it", "a phrase does not reach across a full stop"],
  ["C is old", "a keyword with marks needs its marks"],
  ["pod_name", "an underscore joins words"],
  ["", "nothing matches nothing"],
  ["?!", "marks alone match nothing"],
];

describe("runtime/api/routing", () => {
  for (const [text, agent, why] of WINS)
    it(`sends ${JSON.stringify(text)} to ${agent}: ${why}`, () => {
      assert.equal(route(text, TABLE).outcome, "rule");
      assert.equal(agentOf(text), agent);
    });

  for (const [text, why] of MISSES)
    it(`finds no keyword in ${JSON.stringify(text)}: ${why}`, () => {
      assert.equal(route(text, TABLE).outcome, "default");
    });

  it("records every rule that scored, with its words as declared", () => {
    assert.deepEqual(route("PODS, pods! and the Pod's cost, by PR please: pr", TABLE), {
      outcome: "rule",
      rules: ["git"],
      agents: [ref("git")],
      matched: { git: ["PR"], pods: ["pods"], cost: ["cost", "pods"] },
      scores: { git: 1, pods: 1, cost: 2 },
    });
  });

  it("counts a keyword once, however often it is written down or occurs", () => {
    const doubled = table([rule("a", ["x", "X", "ｘ"]), rule("b", ["y", "z"])]);
    assert.equal(agentOf("x x x y z", doubled), "b");
  });

  it("keeps the last route when nothing matches, and only then", () => {
    assert.deepEqual(route("and why?", TABLE, [ref("git")]), {
      outcome: "follow-up",
      rules: [],
      agents: [ref("git")],
      matched: {},
      scores: {},
    });
    assert.equal(route("pods?", TABLE, [ref("git")]).outcome, "rule");
  });

  it("drops a last route that the table no longer has", () => {
    assert.equal(route("and why?", TABLE, [ref("gone")]).outcome, "default");
    assert.equal(route("and why?", TABLE, []).outcome, "default");
  });

  for (const onNoMatch of ["clarify", "model"] as const)
    it(`answers ${onNoMatch} when nothing matches and the table says so`, () => {
      const decision = route("hello", table([rule("a", ["x"])], { onNoMatch }));
      assert.deepEqual([decision.outcome, decision.agents], [onNoMatch, []]);
    });

  it("runs the best rules with different agents, best first, up to maxDelegates", () => {
    const rules = [
      rule("a", ["x"]),
      rule("b", ["x", "y"], 0, "other"),
      rule("c", ["z"], 9, "other"),
      rule("d", ["y"]),
    ];
    const decide = (maxDelegates: number) => route("x y z", table(rules, { maxDelegates })).rules;
    assert.deepEqual(decide(1), ["c"]);
    assert.deepEqual(decide(2), ["c", "a"]);
    assert.deepEqual(decide(5), ["c", "a", "d"]);
  });

  it("decides alike for the same text, and as a plain search would", () => {
    const word = fc.constantFrom("a", "b", "c", "d");
    const phrase = fc.array(word, { minLength: 1, maxLength: 3 }).map((list) => list.join(" "));
    const rules = fc.array(fc.tuple(fc.array(phrase, { maxLength: 4 }), fc.integer({ max: 2 })), {
      minLength: 1,
      maxLength: 5,
    });
    const text = fc.array(word, { maxLength: 12 });
    fc.assert(
      fc.property(rules, text, (parts, words) => {
        const routing = table(parts.map(([keywords, p], at) => rule(`r${at}`, keywords, p)));
        const decision = route(words.join(" "), routing);
        const line = ` ${words.join(" ")} `;
        const expected = parts.map(
          ([keywords]) => new Set(keywords.filter((keyword) => line.includes(` ${keyword} `))).size,
        );
        const scores = expected.flatMap((score, at) => (score > 0 ? [[`r${at}`, score]] : []));
        assert.deepEqual(decision.scores, Object.fromEntries(scores));
        const order = [...parts.keys()]
          .filter((at) => expected[at]! > 0)
          .sort((a, b) => parts[b]![1] - parts[a]![1] || expected[b]! - expected[a]! || a - b);
        assert.deepEqual(
          decision.rules,
          order.slice(0, 1).map((at) => `r${at}`),
        );
        assert.deepEqual(route(words.join(" "), compileRouting(routing)), decision);
      }),
    );
  });

  it("takes time in proportion to the text", () => {
    const phrases = table([rule("a", ["a ".repeat(31).trim() + " b", "x"])]);
    for (const part of ["a ", "a pod ", "po\u200Bd", ".,", "\uFDFA"]) {
      const text = part.repeat(Math.ceil(65_536 / part.length)).slice(0, 65_536);
      const [quarter, whole] = [text.slice(0, 16_384), text].map((input) =>
        Math.min(...Array.from({ length: 3 }, () => duration(() => route(input, phrases)))),
      );
      assert.ok(whole! < 60 + 12 * quarter!, `${JSON.stringify(part)}: ${quarter!}, ${whole!} ms`);
    }
  }).timeout(20_000);
});

describe("runtime/api/routing: readFirst", () => {
  const change = { ...rule("git", ["change"], 1), readFirst: ref("pods") };
  const both = table([change, rule("cost", ["cost"])], { maxDelegates: 2 });

  it("tells who is read from before whom, and nothing where nobody is", () => {
    const decision = route("change what the cost is", both);
    assert.deepEqual(
      decision.agents.map(({ name }) => name),
      ["git", "cost"],
    );
    assert.deepEqual(decision.readFirst, { "ns/git": ref("pods") });
    assert.ok(!("readFirst" in route("the cost", both)));
  });

  it("goes on with the last route without reading again", () => {
    const decision = route("yes", both, [ref("git")]);
    assert.equal(decision.outcome, "follow-up");
    assert.ok(!("readFirst" in decision));
  });
});

describe("runtime/api/routing: lintRouting", () => {
  const CASES: readonly (readonly [string, RoutingTable, readonly string[]])[] = [
    [
      "nothing about a sound table",
      TABLE,
      ['warning rules[3].keywords[1] "pods" is a keyword of rule "pods" too'],
    ],
    [
      "two rules with one name",
      table([rule("a", ["x"]), rule("a", ["y"])]),
      ['error rules[1].name the name "a" is that of rules[0] already'],
    ],
    [
      "a keyword of which nothing is left",
      table([rule("a", ["??", "x"])]),
      ["error rules[0].keywords[0] holds no letter or digit, so never matches"],
    ],
    [
      "a keyword that is written twice",
      table([rule("a", ["Right-size", "right size"])]),
      ['warning rules[0].keywords[1] "right size" is in this rule already'],
    ],
    [
      "rules with the same keywords and priority",
      table([rule("a", ["x", "y"]), rule("b", ["Y", "x"])]),
      [
        'warning rules[1].keywords[0] "Y" is a keyword of rule "a" too',
        'warning rules[1].keywords[1] "x" is a keyword of rule "a" too',
        'error rules[1] has the same keywords and priority as rule "a"',
      ],
    ],
    [
      "a rule whose keywords an earlier rule has all",
      table([rule("a", ["x", "y"]), rule("b", ["x"])]),
      [
        'warning rules[1].keywords[0] "x" is a keyword of rule "a" too',
        'error rules[1] can never win: rule "a" comes first, with all of its keywords and the same priority',
      ],
    ],
    [
      "a rule that is always outranked, by several rules together",
      table([
        rule("a", ["pull"], 2),
        rule("b", ["cost"], 1),
        rule("c", ["pull request", "the cost of"]),
      ]),
      ["error rules[2] can never win: a rule of higher priority matches whenever this one does"],
    ],
    [
      "no rule that still wins as the second of two delegates",
      table([rule("a", ["pull"], 2), rule("c", ["pull request"])], { maxDelegates: 2 }),
      [],
    ],
    [
      "a rule that never gets one of two places",
      table([rule("a", ["pull"], 2), rule("b", ["request"], 1), rule("c", ["pull request"])], {
        maxDelegates: 2,
      }),
      ["error rules[2] can never win: a rule of higher priority matches whenever this one does"],
    ],
    [
      "a rule that reads from the agent it goes to",
      table([{ ...rule("a", ["x"]), readFirst: ref("a") }]),
      ["error rules[0].readFirst ns/a is where a match goes already; name another Agent, or none"],
    ],
    [
      "no later rule with more keywords",
      table([rule("a", ["x"]), rule("b", ["x", "y"])]),
      ['warning rules[1].keywords[0] "x" is a keyword of rule "a" too'],
    ],
  ];

  for (const [what, routing, expected] of CASES)
    it(`remarks on ${what}`, () => {
      assert.deepEqual(
        lintRouting(routing).map(({ severity, path, message }) => `${severity} ${path} ${message}`),
        expected,
      );
    });

  it("calls dead only rules that no text lets win", () => {
    const word = fc.constantFrom("a", "b", "c");
    const phrase = fc.array(word, { minLength: 1, maxLength: 2 }).map((list) => list.join(" "));
    const rules = fc.array(
      fc.tuple(fc.array(phrase, { minLength: 1, maxLength: 3 }), fc.integer({ min: 0, max: 2 })),
      { minLength: 1, maxLength: 4 },
    );
    fc.assert(
      fc.property(rules, fc.array(word, { maxLength: 8 }), (parts, words) => {
        const routing = table(parts.map(([keywords, p], at) => rule(`r${at}`, keywords, p)));
        const dead = lintRouting(routing)
          .filter(({ severity, path }) => severity === "error" && /^rules\[\d+\]$/.test(path))
          .map(({ path }) => `r${path.slice(6, -1)}`);
        const [winner] = route(words.join(" "), routing).rules;
        assert.ok(winner === undefined || !dead.includes(winner), `${winner!} won`);
      }),
      { numRuns: 500 },
    );
  });
});

/** Milliseconds of processor time: others on the machine do not count. */
function duration(work: () => unknown): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
