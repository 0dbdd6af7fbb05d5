import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { readRecords } from "../../../../runtime/model/offline/read-records.ts";
import { readSamples } from "../../../../runtime/model/offline/read-samples.ts";
import { readTable } from "../../../../runtime/model/offline/read-table.ts";

describe("runtime/model/offline/read-records", () => {
  for (const [claim, text] of [
    ["a list", '[{"name":"a","cost":{"cpu":1}},{"name":"b","cost":{"cpu":2}}]'],
    [
      "a list inside of an answer",
      '{"code":200,"data":{"items":[{"name":"a","cost":{"cpu":1}},{"name":"b","cost":{"cpu":2}}]}}',
    ],
    ["a map by name", '{"data":[{"a":{"cost":{"cpu":1}},"b":{"cost":{"cpu":2}}}]}'],
    [
      "a list below a line of text",
      'costs of 7d\n[{"name":"a","cost":{"cpu":1}},{"name":"b","cost":{"cpu":2}}]',
    ],
  ] as const)
    it(`reads ${claim}`, () => {
      assert.deepEqual(readRecords(text)?.rows, [
        { name: "a", "cost.cpu": 1 },
        { name: "b", "cost.cpu": 2 },
      ]);
    });

  it("knows an empty list from an answer without one", () => {
    assert.deepEqual(readRecords('{"items":[]}')?.rows, []);
    assert.equal(readRecords("all is well"), undefined);
    assert.equal(readRecords('{"ok":true}'), undefined);
  });

  it("reads tables: free text in the last column, gaps left out and told", () => {
    const table = readTable(
      "3 pods: 1 unhealthy\nNAMESPACE   NAME   LAST SEEN   REASON\nshop        a      2m          it  is broken\n... 3 rows left out ...\nweb         b      1m          -",
    );
    assert.deepEqual(table?.columns, ["NAMESPACE", "NAME", "LAST SEEN", "REASON"]);
    assert.deepEqual(
      table.rows.map((row) => [row["NAME"], row["REASON"]]),
      [
        ["a", "it  is broken"],
        ["b", "-"],
      ],
    );
    assert.equal(table.incomplete, true);
  });

  for (const [claim, text] of [
    [
      "a vector",
      '{"data":{"resultType":"vector","result":[{"metric":{"pod":"a"},"value":[1,"2.5"]}]}}',
    ],
    ["a matrix", '{"data":{"result":[{"metric":{"pod":"a"},"values":[[1,"1"],[2,"2.5"]]}]}}'],
    ["a bare list", '[{"metric":{"pod":"a"},"value":2.5}]'],
  ] as const)
    it(`reads ${claim} of Prometheus`, () => {
      assert.deepEqual(readSamples(text), [{ series: '{pod="a"}', value: 2.5 }]);
    });
});
