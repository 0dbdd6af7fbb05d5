import assert from "node:assert/strict";
import { afterEach, describe, it } from "mocha";
import { catalogueTool } from "../../../../runtime/api/tool-catalogue.ts";
import { demoCosts } from "../../../../runtime/toolservers/opencost/demo-costs.ts";
import { openCostSource } from "../../../../runtime/toolservers/opencost/opencost-source.ts";
import { openCostTools } from "../../../../runtime/toolservers/opencost/opencost-tools.ts";
import { verdictOf } from "../../../../runtime/toolservers/opencost/sizing.ts";
import { callTool } from "../call-tool.ts";
import { JsonPeer } from "../json-peer.ts";

const NOW = Date.parse("2026-03-04T12:00:00Z");
const LABEL = '# demo cluster "services-amer" (stand-in data, not a real cluster)\n';
const demo = openCostTools({
  source: demoCosts({ clock: { now: () => NOW }, cluster: "services-amer" }),
});

describe("runtime/toolservers/opencost/opencost-tools", () => {
  const peers: JsonPeer[] = [];
  afterEach(async () => {
    await Promise.all(peers.splice(0).map((peer) => peer.close()));
  });

  async function real(answer: (url: URL) => unknown) {
    const peer = new JsonPeer(answer);
    peers.push(peer);
    const source = openCostSource({ url: await peer.listen() });
    return { peer, tools: openCostTools({ source }) };
  }

  it("has the tools of the catalogue, all of which read", () => {
    assert.deepEqual(
      demo.map(({ name }) => [catalogueTool(name)?.server, catalogueTool(name)?.access]),
      demo.map(() => ["opencost", "read"]),
    );
    assert.equal(demo.length, 4);
  });

  for (const [efficiency, verdict] of [
    [0.299, "over-provisioned"],
    [0.3, "right-sized"],
    [0.8, "right-sized"],
    [0.801, "under-provisioned"],
    [undefined, "unknown"],
  ] as const)
    it(`calls an efficiency of ${String(efficiency)} ${verdict}`, () => {
      assert.equal(verdictOf(efficiency), verdict);
    });

  it("labels demo data, errors too", async () => {
    for (const { name } of demo) {
      assert.ok((await callTool(demo, name, { window: "7d" })).text.startsWith(LABEL));
      const wrong = await callTool(demo, name, { window: "some days" });
      assert.ok(
        wrong.isError === true && wrong.text.startsWith(`${LABEL}invalid arguments: window`),
      );
    }
  });

  it("states efficiency and verdict for each workload of the demo", async () => {
    const { text } = await callTool(demo, "get_efficiency", { window: "7d" });
    assert.match(text, /^catalog\s+shop\s+1\d\.\d %\s+over-provisioned/m);
    assert.match(text, /^payment-gateway\s+payments\s+8\d\.\d %\s+under-provisioned/m);
    assert.doesNotMatch(text, /analytics-batch/);
  });

  it("costs what it cost: twice the window, twice the money", async () => {
    const cost = async (window: string) => {
      const { text } = await callTool(demo, "get_allocation_costs", {
        window,
        aggregate: "cluster",
      });
      return Number(/total (\d+\.\d+)/.exec(text)?.[1]);
    };
    const day = await cost("24h");
    assert.ok(day > 0 && Math.abs((await cost("2d")) - 2 * day) < 0.02);
    assert.ok(Math.abs((await cost("today")) - day / 2) < 0.02);
  });

  it("keeps to one namespace and names the others when there is none", async () => {
    const { text } = await callTool(demo, "get_allocation_costs", {
      window: "7d",
      aggregate: "namespace",
      filter: "shop",
    });
    assert.match(text, /^shop\s/m);
    assert.doesNotMatch(text, /^payments\s/m);
    const none = await callTool(demo, "get_allocation_costs", { window: "7d", filter: "xyz" });
    assert.ok(none.isError === true && none.text.includes("there are shop"));
  });

  it("lists nodes, disks and load balancers", async () => {
    const { text } = await callTool(demo, "get_asset_costs", { window: "24h" });
    for (const type of ["Node", "Disk", "LoadBalancer"])
      assert.match(text, new RegExp(`\\s${type}\\s`));
    const nodes = await callTool(demo, "get_asset_costs", { window: "24h", type: "node" });
    assert.match(nodes.text, /total 27\.65/);
  });

  for (const args of [
    { window: "91d" },
    { window: "0d" },
    { window: "2026-01-08T00:00:00Z,2026-01-01T00:00:00Z" },
    { window: "7d&aggregate=x" },
    { window: "7d", aggregate: "namespace;drop" },
    { window: "7d", aggregate: "moonphase" },
    {},
  ])
    it(`refuses ${JSON.stringify(args)}`, async () => {
      assert.equal((await callTool(demo, "get_allocation_costs", args)).isError, true);
    });

  it("reads OpenCost's allocations and adds the parts of a window up", async () => {
    const part = {
      properties: { namespace: "web" },
      minutes: 60,
      cpuCost: 1,
      ramCost: 1,
      pvCost: 0.5,
      totalCost: 3,
      cpuCoreRequestAverage: 2,
      cpuCoreUsageAverage: 0.2,
      ramByteRequestAverage: 1024 ** 3,
      ramByteUsageAverage: 1024 ** 3 * 0.3,
    };
    const { peer, tools } = await real(() => ({
      code: 200,
      data: [{ api: part, __idle__: { minutes: 60, totalCost: 1 } }, null, { api: part }],
    }));
    const { text } = await callTool(tools, "get_efficiency", { window: "2h", aggregate: "pod" });
    assert.match(
      text,
      /^api\s+web\s+20\.0 %\s+over-provisioned\s+10\.0 %\s+30\.0 %\s+200m\s+2\s+307\.2Mi\s+1Gi\s+6\.00\s+/m,
    );
    assert.match(text, /^__idle__\s+-\s+-\s+unknown/m);
    assert.equal(peer.requests[0]?.pathname, "/allocation/compute");
    assert.equal(peer.requests[0].searchParams.get("aggregate"), "pod");
  });

  it("reads OpenCost's assets and cloud costs", async () => {
    const { tools } = await real(({ pathname }) =>
      pathname === "/assets"
        ? {
            data: {
              "k/1": {
                type: "Node",
                properties: { name: "n1" },
                totalCost: 5,
                minutes: 120,
                nodeType: "m5",
              },
            },
          }
        : {
            data: {
              sets: [
                {
                  cloudCosts: {
                    x: {
                      properties: { provider: "p", service: "disk", category: "Storage" },
                      netCost: { cost: 2 },
                      listCost: { cost: 3 },
                    },
                  },
                },
                { cloudCosts: null },
              ],
            },
          },
    );
    assert.match(
      (await callTool(tools, "get_asset_costs", { window: "2h" })).text,
      /n1\s+Node\s+5\.00\s+2\.0\s+m5/,
    );
    assert.match(
      (await callTool(tools, "get_cloud_costs", { window: "2h" })).text,
      /disk\s+Storage\s+p\s+2\.00\s+3\.00/,
    );
  });

  it("says so when OpenCost answers in another form", async () => {
    const { tools } = await real(() => ({ data: "soon" }));
    for (const { name } of tools) {
      const { text, isError } = await callTool(tools, name, { window: "1d" });
      assert.deepEqual([text, isError], ["OpenCost answered in an unknown form", true]);
    }
  });
});
