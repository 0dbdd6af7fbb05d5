import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { HANDOFF_VARIABLES } from "../../../runtime/api/agent-steering.ts";
import { parseCondition } from "../../../runtime/api/cel-condition.ts";

describe("runtime/api/cel-condition", () => {
  const holds = (source: string, values: Record<string, unknown>): boolean => {
    const condition = parseCondition(source, HANDOFF_VARIABLES);
    assert.ok(condition.ok, JSON.stringify(condition));
    return condition.holds(values);
  };
  const problem = (source: string): string => {
    const condition = parseCondition(source, ["output"]);
    return condition.ok ? "" : condition.problem;
  };

  it("holds by the values it is given", () => {
    const source =
      "output.verdict == 'incident' && envelope.data.issues.exists(i, i.severity == 'critical')";
    const envelope = { data: { issues: [{ severity: "info" }, { severity: "critical" }] } };
    assert.equal(holds(source, { output: { verdict: "incident" }, envelope }), true);
    assert.equal(holds(source, { output: { verdict: "noise" }, envelope }), false);
  });

  it("compares numbers of JSON", () => {
    assert.equal(holds("output.count > 3 && output.count == 5", { output: { count: 5 } }), true);
    assert.equal(holds("output.score >= 0.5", { output: { score: 0.25 } }), false);
  });

  it("does not hold where it cannot be evaluated", () => {
    assert.equal(holds("output.verdict == 'incident'", { output: "free text" }), false);
    assert.equal(holds("output.verdict == 'incident'", {}), false);
    assert.equal(holds("output", { output: 1 }), false);
  });

  it("says where it is wrong", () => {
    assert.equal(
      problem("output.a &&"),
      "is no CEL condition at character 12: Unexpected token: EOF",
    );
    assert.equal(
      problem("verdict == 'a'"),
      "is no CEL condition at character 1: Unknown variable: verdict",
    );
    assert.equal(problem("'a'"), "is no condition: it is of type string, not bool");
  });

  it("refuses what is deeper or longer than conditions are", () => {
    assert.match(problem(`${"(".repeat(200)}true${")".repeat(200)}`), /^is no CEL condition/);
    assert.match(
      problem(Array.from({ length: 600 }, () => "true").join(" || ")),
      /^is no CEL condition/,
    );
  });

  it("refuses what may take long on a long answer", () => {
    assert.equal(
      problem("output.matches('(a+)+b')"),
      "must not use matches; use contains, startsWith or endsWith",
    );
    assert.equal(
      problem(
        "output.all(a, has(a.b) && a.b.exists(b, b.c.filter(c, c.d.matches('x')).size() > 0))",
      ),
      "must not have more than 2 nested loops",
    );
    assert.equal(problem("output.all(a, output.exists(b, a == b)) && output.all(a, a > 1)"), "");
    assert.equal(problem("output.map(a, a.b.filter(c, c)).size() > 0 ? true : output.x"), "");
  });
});
