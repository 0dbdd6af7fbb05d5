import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import type { Agent } from "../../../runtime/api/objects.ts";
import { CallGraph } from "../../../runtime/controller/call-graph.ts";
import { callsTo, parsedAgent } from "./kagent-objects.ts";

class Agents {
  readonly agents = new Map<string, Agent>();
  readonly graph = new CallGraph(this.agents, "kagent");

  put(name: string, ...calls: readonly string[]): readonly string[] {
    this.agents.set(
      `kagent/${name}`,
      parsedAgent(name, calls.length === 0 ? {} : callsTo(...calls)),
    );
    this.graph.update(`kagent/${name}`);
    return this.graph.settle();
  }

  remove(name: string): readonly string[] {
    this.agents.delete(`kagent/${name}`);
    this.graph.update(`kagent/${name}`);
    return this.graph.settle();
  }

  words(name: string): string {
    return this.graph.violation(`kagent/${name}`)?.message ?? "";
  }
}

describe("runtime/controller/CallGraph", () => {
  it("tells every member of a circle when it closes, and again when it opens", () => {
    const all = new Agents();
    assert.deepEqual(all.put("a", "b"), []);
    assert.deepEqual(all.put("caller", "a"), []);
    assert.deepEqual([...all.put("b", "a")].sort(), ["kagent/a", "kagent/b"]);
    assert.match(all.words("a"), /in a circle: kagent\/a -> kagent\/b -> kagent\/a/);
    assert.equal(all.words("caller"), "");
    assert.deepEqual([...all.put("b")].sort(), ["kagent/a", "kagent/b"]);
    assert.equal(all.words("a"), "");
  });

  it("finds a circle that closes because the missing agent comes", () => {
    const all = new Agents();
    all.put("a", "b");
    assert.deepEqual([...all.put("b", "a")].sort(), ["kagent/a", "kagent/b"]);
    assert.deepEqual(all.remove("b"), ["kagent/a"]);
  });

  it("keeps everybody out from whom calls go more than ten deep", () => {
    const all = new Agents();
    for (let at = 0; at < 13; at++) all.put(`a${at}`, `a${at + 1}`);
    all.put("a13");
    assert.match(all.words("a2"), /11 agents deep, at most 10/);
    assert.equal(all.words("a0"), all.words("a2"));
    assert.equal(all.words("a3"), "");
    const told = all.put("a5");
    assert.deepEqual([...told].sort(), ["kagent/a0", "kagent/a1", "kagent/a2"]);
    assert.equal(all.words("a0"), "");
  });

  it("says the same step by step as all at once", () => {
    const name = fc.constantFrom("a", "b", "c", "d", "e");
    const step = fc.record({
      name,
      calls: fc.option(fc.uniqueArray(name, { maxLength: 3 }), { nil: undefined }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
        const gradual = new Agents();
        for (const { name: agent, calls } of steps)
          if (calls === undefined) gradual.remove(agent);
          else gradual.put(agent, ...calls);
        const once = new CallGraph(gradual.agents, "kagent");
        once.updateAll();
        for (const key of gradual.agents.keys())
          assert.equal(gradual.graph.violation(key)?.message, once.violation(key)?.message, key);
      }),
    );
  });
});
