import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { costRows, sizing } from "../../../../runtime/model/offline/cost-rows.ts";
import { readRecords } from "../../../../runtime/model/offline/read-records.ts";
import { offlineModel } from "../../../../runtime/model/offline.ts";
import { playTurn, testTool } from "./agent-turn.ts";

const text = { type: "string" };
const HEAD = "NAME   NAMESPACE   TOTAL_COST   TOTAL_EFFICIENCY   CPU_USE   MEMORY_USE";

describe("runtime/model/offline/skills/costs", () => {
  for (const [efficiency, size] of [
    [29.9, "over-provisioned"],
    [30, "right-sized"],
    [80, "right-sized"],
    [80.1, "under-provisioned"],
  ] as const)
    it(`calls ${efficiency} % of use ${size}`, () => {
      assert.equal(sizing(efficiency), size);
    });

  it("reads shares and amounts in whatever form, units kept", () => {
    const table = readRecords(`${HEAD}\ncart   shop   3.00   1.2 %   20m   76Mi`);
    const json = readRecords('[{"name":"cart","totalEfficiency":0.25,"cpuCoreUsageAverage":0.5}]');
    assert.ok(table && json);
    assert.deepEqual(costRows(table), [
      {
        name: "cart",
        namespace: "shop",
        efficiency: 1.2,
        cost: 3,
        cpuTarget: "24m",
        memoryTarget: "91.2Mi",
      },
    ]);
    assert.equal(costRows(json)[0]?.efficiency, 25);
    assert.equal(costRows(json)[0]?.cpuTarget, "0.6");
  });

  it("groups by workload when no namespace is called like what the question names", async () => {
    const tool = testTool(
      "opencost-demo_get_allocation_costs",
      ({ aggregate }) =>
        aggregate === "namespace"
          ? `${HEAD}\nshop   -   9.00   50.0 %   1   1Gi`
          : `${HEAD}\ncart   shop   3.00   10.0 %   20m   76Mi\nweb   shop   6.00   60.0 %   1   1Gi`,
      { window: text, aggregate: text },
    );
    const play = (question: string) => playTurn(offlineModel(), question, [tool]);
    const named = await play("What does cart cost?");
    assert.deepEqual(
      named.calls.map(({ args }) => args["aggregate"]),
      ["namespace", "controller"],
    );
    assert.match(named.text, /^1 cost record, 3\.00 in total/);
    assert.match(named.text, /requests of cart to its use times 1\.2 \(CPU 24m, memory 91\.2Mi\)/);
    const namespace = await play("What does namespace shop cost this month?");
    assert.deepEqual(
      namespace.calls.map(({ args }) => args),
      [{ window: "month", aggregate: "namespace" }],
    );
    assert.match(namespace.text, /^1 cost record, 9\.00 in total/);
  });
});
