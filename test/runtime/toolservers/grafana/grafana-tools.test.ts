import assert from "node:assert/strict";
import { afterEach, describe, it } from "mocha";
import * as z from "zod";
import { catalogueTool } from "../../../../runtime/api/tool-catalogue.ts";
import { demoSource } from "../../../../runtime/toolservers/grafana/demo-source.ts";
import { directSource } from "../../../../runtime/toolservers/grafana/direct-source.ts";
import { grafanaSource } from "../../../../runtime/toolservers/grafana/grafana-source.ts";
import { grafanaTools } from "../../../../runtime/toolservers/grafana/grafana-tools.ts";
import { callTool } from "../call-tool.ts";
import { JsonPeer } from "../json-peer.ts";

const NOW = Date.parse("2026-03-04T05:06:07Z");
const clock = { now: () => NOW };
const LABEL = '# demo cluster "services-amer" (stand-in data, not a real cluster)\n';

const demo = grafanaTools({
  source: demoSource({ clock, cluster: "services-amer", begin: NOW }),
  clock,
});

function jsonIn(text: string): unknown {
  return JSON.parse(text.slice(text.search(/\[/)));
}

describe("runtime/toolservers/grafana/grafana-tools", () => {
  const peers: JsonPeer[] = [];
  afterEach(async () => {
    await Promise.all(peers.splice(0).map((peer) => peer.close()));
  });

  async function listening(answer: ConstructorParameters<typeof JsonPeer>[0]) {
    const peer = new JsonPeer(answer);
    peers.push(peer);
    return { peer, url: await peer.listen() };
  }

  it("has tools of the catalogue only, all of which read", () => {
    for (const { name, hints, inputSchema } of demo) {
      assert.deepEqual(
        [catalogueTool(name)?.server, catalogueTool(name)?.access],
        ["grafana", "read"],
      );
      assert.equal(hints.readOnlyHint, true);
      assert.doesNotThrow(() => z.toJSONSchema(inputSchema, { io: "input" }));
    }
  });

  describe("over the demo cluster", () => {
    it("labels every answer, failures too", async () => {
      for (const { name } of demo) {
        const { text } = await callTool(demo, name, { nonsense: 1 });
        assert.ok(text.startsWith(`${LABEL}invalid arguments`), text);
        const args =
          name === "query_prometheus"
            ? { expr: "up" }
            : name === "query_loki_logs"
              ? { logql: "{}" }
              : {};
        const output = await callTool(demo, name, args);
        assert.ok(output.text.startsWith(LABEL));
        assert.equal(output.isError, undefined, output.text);
      }
    });

    it("answers PromQL in Prometheus' own form", async () => {
      const { text } = await callTool(demo, "query_prometheus", {
        expr: "sum by (namespace, pod) (increase(kube_pod_container_status_restarts_total[1h]))",
        datasourceUid: "prometheus",
        startTime: "now-1h",
        endTime: "now",
        queryType: "instant",
      });
      const series = z
        .array(z.object({ metric: z.record(z.string(), z.string()), value: z.array(z.unknown()) }))
        .parse(jsonIn(text));
      assert.match(series[0]?.metric["pod"] ?? "", /^checkout-/);
    });

    it("keeps a range to 30 values per series whatever the step", async () => {
      const { text } = await callTool(demo, "query_prometheus", {
        expr: "count(up)",
        queryType: "range",
        startTime: "now-6h",
        stepSeconds: 1,
      });
      const [series] = z.array(z.object({ values: z.array(z.unknown()) })).parse(jsonIn(text));
      assert.ok(series !== undefined && series.values.length > 20 && series.values.length <= 30);
    });

    it("names the metrics there are when none fits", async () => {
      const { text, isError } = await callTool(demo, "query_prometheus", { expr: "nothing" });
      assert.equal(isError, undefined);
      assert.match(text, /no series match.*http_requests_total/);
    });

    it("trims many series to 20 + 5", async () => {
      const { text } = await callTool(demo, "query_prometheus", {
        expr: "http_request_duration_seconds_bucket",
      });
      assert.equal((jsonIn(text) as unknown[]).length, 25);
      assert.match(text, /left out between/);
    });

    it("shows at most 50 log lines", async () => {
      const { text } = await callTool(demo, "query_loki_logs", {
        logql: '{namespace=~".+"}',
        limit: 500,
      });
      assert.equal((jsonIn(text) as unknown[]).length, 50);
      assert.match(text, /the latest ones, there may be more/);
    });

    it("lists firing alerts first, with cluster, namespace and object", async () => {
      const { text } = await callTool(demo, "list_alert_rules");
      const rows = text.split("\n").slice(3);
      assert.match(rows[0] ?? "", /firing/);
      assert.match(
        text,
        /KubeContainerOOMKilled\s+firing\s+critical\s+services-amer\s+payments\s+payment-gateway-/,
      );
      const only = await callTool(demo, "list_alert_rules", { state: "inactive" });
      assert.doesNotMatch(only.text.split("\n").slice(2).join("\n"), /firing {2}/);
    });

    it("groups error lines into patterns", async () => {
      const { text } = await callTool(demo, "find_error_pattern_logs", { namespace: "shop" });
      assert.match(text, /shop\/checkout .*PAYMENTS_API_URL is not set/);
      assert.doesNotMatch(text, /payments\//);
    });

    it("orders services by latency", async () => {
      const { text } = await callTool(demo, "find_slow_requests");
      assert.match(text.split("\n")[3] ?? "", /^payment-gateway\s+payments\s+services-amer/);
    });

    it("finds dashboards by words", async () => {
      const { text } = await callTool(demo, "search_dashboards", { query: "checkout latency" });
      assert.match(text, /Storefront and checkout latency/);
    });

    for (const [name, args] of [
      ["query_prometheus", { expr: "up", endTime: "yesterday-ish" }],
      ["query_prometheus", { expr: "up", queryType: "range", startTime: "now", endTime: "now-1h" }],
      ["query_prometheus", { expr: "up", queryType: "range", startTime: "now-60d" }],
      ["query_prometheus", { expr: "u".repeat(2001) }],
      ["query_loki_logs", { logql: "{} | frobnicate" }],
      ["find_slow_requests", { metric: "x} or up{" }],
      ["find_error_pattern_logs", { labels: { 'x"} |= "': "y" } }],
    ] as const)
      it(`refuses ${name} with ${JSON.stringify(args).slice(0, 60)}`, async () => {
        assert.equal((await callTool(demo, name, args)).isError, true);
      });
  });

  describe("over Grafana", () => {
    const SOURCES = [
      { uid: "prom-1", name: "Metrics", type: "prometheus", isDefault: true, url: "http://inside" },
      { uid: "loki-1", name: "Logs", type: "loki" },
    ];

    async function grafana() {
      const { peer, url } = await listening((asked) => {
        if (asked.pathname === "/api/datasources") return SOURCES;
        if (asked.pathname.endsWith("/api/v1/query"))
          return {
            status: "success",
            data: { resultType: "vector", result: [{ metric: { a: "b" }, value: [1, "2"] }] },
          };
        if (asked.pathname.endsWith("/loki/api/v1/query_range"))
          return {
            data: {
              resultType: "streams",
              result: [
                {
                  stream: { app: "web" },
                  values: [[`${NOW}000000`, "login password=hunter2hunter2"]],
                },
              ],
            },
          };
        if (asked.pathname === "/api/prometheus/grafana/api/v1/rules")
          return {
            data: {
              groups: [
                {
                  name: "g",
                  file: "f",
                  rules: [
                    {
                      name: "DiskFull",
                      state: "firing",
                      type: "alerting",
                      labels: { severity: "critical" },
                      alerts: [
                        {
                          state: "Alerting (NoData)",
                          labels: { cluster: "c1", namespace: "n1" },
                          annotations: { summary: "disk is full" },
                          activeAt: new Date(NOW - 600_000).toISOString(),
                        },
                      ],
                    },
                    { name: "recorded", type: "recording" },
                  ],
                },
              ],
            },
          };
        return [{ uid: "d", title: "Found", type: "dash-db" }];
      });
      const source = grafanaSource({ url, token: "glsa_secretsecretsecretsecret12" });
      return { peer, tools: grafanaTools({ source, clock }) };
    }

    it("asks the data source's proxy, with the token, by name, identifier or type", async () => {
      const { peer, tools } = await grafana();
      for (const datasourceUid of ["prom-1", "Metrics", "prometheus", ""]) {
        const { text } = await callTool(tools, "query_prometheus", { expr: "up", datasourceUid });
        assert.deepEqual(jsonIn(text), [{ metric: { a: "b" }, value: [1, "2"] }]);
      }
      const asked = peer.requests.filter(({ pathname }) => pathname.endsWith("/query"));
      assert.equal(asked[0]?.pathname, "/api/datasources/proxy/uid/prom-1/api/v1/query");
      assert.equal(asked[0].searchParams.get("time"), String(NOW / 1000));
      assert.ok(peer.authorizations.every((each) => each?.startsWith("Bearer glsa_")));
    });

    it("goes to no data source that Grafana does not list", async () => {
      const { peer, tools } = await grafana();
      const { text, isError } = await callTool(tools, "query_prometheus", {
        expr: "up",
        datasourceUid: "../../../admin",
      });
      assert.equal(isError, true);
      assert.match(text, /it has prom-1 \(Metrics\)/);
      assert.deepEqual(
        peer.requests.map(({ pathname }) => pathname),
        ["/api/datasources"],
      );
    });

    it("reads logs without credentials in them", async () => {
      const { peer, tools } = await grafana();
      const { text } = await callTool(tools, "query_loki_logs", { logql: '{app="web"}' });
      assert.match(text, /password=<redacted>/);
      assert.equal(peer.requests.at(-1)?.searchParams.get("end"), `${NOW}000000`);
    });

    it("reads alert rules, dashboards and data sources", async () => {
      const { tools } = await grafana();
      const rules = await callTool(tools, "list_alert_rules");
      assert.match(rules.text, /DiskFull\s+firing\s+critical\s+c1\s+n1\s+-\s+10m\s+disk is full/);
      assert.doesNotMatch(rules.text, /recorded/);
      assert.match((await callTool(tools, "search_dashboards", { query: "f" })).text, /Found/);
      const sources = await callTool(tools, "list_datasources");
      assert.match(sources.text, /loki-1/);
      assert.doesNotMatch(sources.text, /inside/);
    });

    it("says so when the answer has another form", async () => {
      const { url } = await listening(() => ({ data: { resultType: "surprise" } }));
      const tools = grafanaTools({ source: directSource({ prometheusUrl: url }), clock });
      const { text, isError } = await callTool(tools, "query_prometheus", { expr: "up" });
      assert.deepEqual([text, isError], ["Prometheus answered in an unknown form", true]);
    });
  });

  describe("over Prometheus and Loki themselves", () => {
    it("passes on what Prometheus says is wrong with a query", async () => {
      const { url } = await listening((_asked, response) => {
        response.statusCode = 400;
        return { status: "error", errorType: "bad_data", error: "1:3: parse error" };
      });
      const tools = grafanaTools({ source: directSource({ prometheusUrl: url }), clock });
      const { text, isError } = await callTool(tools, "query_prometheus", { expr: "up(" });
      assert.deepEqual([text, isError], ["Prometheus answered 400: 1:3: parse error", true]);
    });

    it("says what is not configured", async () => {
      const tools = grafanaTools({ source: directSource({}), clock });
      for (const [name, words] of [
        ["query_prometheus", /no Prometheus/],
        ["query_loki_logs", /no Loki/],
        ["search_dashboards", /need Grafana/],
      ] as const) {
        const output = await callTool(
          tools,
          name,
          name === "query_loki_logs"
            ? { logql: "{}" }
            : name === "query_prometheus"
              ? { expr: "up" }
              : {},
        );
        assert.equal(output.isError, true);
        assert.match(output.text, words);
      }
    });
  });
});
