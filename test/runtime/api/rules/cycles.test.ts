import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { components } from "../../../../runtime/api/rules/components.ts";
import { cycles, MAX_CALL_DEPTH } from "../../../../runtime/api/rules/cycles.ts";
import { agentInput, agentTool, setOf } from "./objects.ts";

const agents = (edges: Readonly<Record<string, readonly string[]>>) =>
  setOf(
    ...Object.entries(edges).map(([name, tools]) =>
      agentInput(name, { tools: tools.map((tool) => agentTool(tool)) }),
    ),
  );
const found = (edges: Readonly<Record<string, readonly string[]>>) =>
  cycles(agents(edges)).map(({ object, path, message }) => `${object} ${path} ${message}`);

describe("runtime/api/rules/cycles", () => {
  it("finds nothing where agents only call downwards, diamonds included", () => {
    assert.deepEqual(found({ a: ["b", "c"], b: ["d"], c: ["d"], d: [] }), []);
  });

  it("finds an agent that calls itself", () => {
    assert.deepEqual(found({ a: ["a"] }), [
      "Agent/ns/a spec.declarative.tools[0].agent agents call each other in a circle: ns/a -> ns/a",
    ]);
  });

  it("names the whole way round, in call order, and where the first call stands", () => {
    assert.deepEqual(found({ x: ["c"], c: ["y", "a"], a: ["y", "b"], b: ["c"], y: [] }), [
      "Agent/ns/a spec.declarative.tools[1].agent agents call each other in a circle: ns/a -> ns/b -> ns/c -> ns/a",
    ]);
  });

  it("reports each group of agents that reach one another once", () => {
    assert.deepEqual(
      found({ a: ["b"], b: ["a", "c"], c: ["d"], d: ["c"], e: ["d"] }).map((line) =>
        line.replace(/.*circle: /, ""),
      ),
      ["ns/c -> ns/d -> ns/c", "ns/a -> ns/b -> ns/a"],
    );
  });

  it("follows hand-offs and other namespaces, and ignores agents that are not there", () => {
    const set = setOf(
      agentInput("a", { tools: [agentTool("b", "other"), agentTool("gone")] }),
      agentInput(
        "b",
        { handoffs: [{ when: "true", agent: { name: "a", namespace: "ns" } }] },
        {},
        { namespace: "other" },
      ),
    );
    assert.deepEqual(
      cycles(set).map(({ message }) => message),
      ["agents call each other in a circle: ns/a -> other/b -> ns/a"],
    );
  });

  it("follows an agent that a route reads from first: it is a tool", () => {
    const reads = agentInput("a", {
      tools: [agentTool("git"), agentTool("cluster")],
      routing: {
        rules: [
          {
            name: "change",
            keywords: ["scale"],
            agent: { name: "git" },
            readFirst: { name: "cluster" },
          },
        ],
      },
    });
    const set = setOf(reads, agentInput("git"), agentInput("cluster", { tools: [agentTool("a")] }));
    assert.deepEqual(
      cycles(set).map(({ message }) => message),
      ["agents call each other in a circle: ns/a -> ns/cluster -> ns/a"],
    );
  });

  it("finds a chain that is too deep once, with the chain", () => {
    const chain = (length: number) =>
      Object.fromEntries(
        Array.from({ length }, (_, at) => [`a${at}`, at + 1 < length ? [`a${at + 1}`] : []]),
      );
    assert.deepEqual(found(chain(MAX_CALL_DEPTH + 1)), []);
    const [first, ...more] = found(chain(MAX_CALL_DEPTH + 5));
    assert.deepEqual(more, []);
    assert.match(
      first!,
      /^Agent\/ns\/a3 .*calls go 11 agents deep, at most 10: ns\/a3 -> .* -> ns\/a14$/,
    );
  });

  it("agrees with a search for ways back, whatever the graph", () => {
    const size = 7;
    const graph = fc.array(fc.uniqueArray(fc.nat(size - 1), { maxLength: 4 }), {
      minLength: size,
      maxLength: size,
    });
    fc.assert(
      fc.property(graph, (edges) => {
        const reach = (from: number) => {
          const seen = new Set<number>();
          const queue = [...edges[from]!];
          for (const node of queue)
            if (!seen.has(node)) {
              seen.add(node);
              queue.push(...edges[node]!);
            }
          return seen;
        };
        const circular = edges.flatMap((_, at) => (reach(at).has(at) ? [at] : []));
        const lines = found(
          Object.fromEntries(edges.map((next, at) => [`a${at}`, next.map((to) => `a${to}`)])),
        );
        const ways = lines.map((line) => line.replace(/.*circle: /, "").split(" -> "));
        for (const way of ways) {
          assert.equal(way[0], way.at(-1));
          for (const [at, from] of way.slice(0, -1).entries())
            assert.ok(edges[Number(from.slice(4))]!.includes(Number(way[at + 1]!.slice(4))));
        }
        const groups = new Set(
          circular.map((at) => Math.min(at, ...[...reach(at)].filter((to) => reach(to).has(at)))),
        );
        assert.deepEqual(new Set(ways.map((way) => Number(way[0]!.slice(4)))), groups);
        assert.equal(ways.length, groups.size);
      }),
      { numRuns: 200 },
    );
  });

  it("takes a circle of 10,000 agents without recursion", () => {
    const size = 10_000;
    const edges = Object.fromEntries(
      Array.from({ length: size }, (_, at) => [`a${at}`, [`a${(at + 1) % size}`]]),
    );
    const [line, ...more] = found(edges);
    assert.deepEqual(more, []);
    assert.equal(line!.split(" -> ").length, size + 1);
  }).timeout(30_000);

  it("takes a dense graph in time that grows with its calls", () => {
    const size = 600;
    const nodes = Array.from({ length: size }, (_, at) => `${at}`);
    const groups = components(nodes, (node) => nodes.slice(Number(node) + 1));
    assert.equal(groups.length, size);
    assert.deepEqual(groups[0], [`${size - 1}`]);
  });
});
