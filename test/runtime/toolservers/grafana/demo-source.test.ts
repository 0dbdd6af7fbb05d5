import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import { ToolFailure } from "../../../../runtime/toolservers/define-tool.ts";
import { PODS, restartsAt } from "../../../../runtime/toolservers/demo/demo-pods.ts";
import { demoSource } from "../../../../runtime/toolservers/grafana/demo-source.ts";

const BEGIN = Date.parse("2026-03-04T05:06:07Z");
const OPEN = new AbortController().signal;
const HOUR = 3_600_000;

function source(now = BEGIN) {
  return demoSource({ clock: { now: () => now }, cluster: "services-amer", begin: BEGIN });
}

async function instant(query: string, now = BEGIN) {
  const samples = await source(now).instant({ query, at: now }, OPEN);
  return samples.map(({ labels, values }) => ({ labels, value: Number(values[0]?.[1]) }));
}

describe("runtime/toolservers/grafana/demo-source", () => {
  it("counts the restarts that the demo's Kubernetes API shows", async () => {
    const pod = PODS.find(({ fault }) => fault?.kind === "out-of-memory");
    assert.ok(pod);
    const now = BEGIN + HOUR;
    const [found] = await instant(
      `kube_pod_container_status_restarts_total{pod="${pod.name}"}`,
      now,
    );
    assert.equal(found?.value, restartsAt(pod, now, BEGIN).count);
  });

  it("rates, sums and divides: the error share of each service", async () => {
    const shares = await instant(
      'sum by (namespace, service) (rate(http_requests_total{status=~"5.."}[5m])) / sum by (namespace, service) (rate(http_requests_total[5m]))',
    );
    const storefront = shares.find(({ labels }) => labels["service"] === "storefront");
    assert.deepEqual(storefront?.labels, { namespace: "shop", service: "storefront" });
    assert.ok(Math.abs(storefront.value - 0.062) < 1e-6);
  });

  it("computes quantiles of histograms", async () => {
    const [gateway] = await instant(
      'histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket{service="payment-gateway"}[5m])))',
    );
    assert.ok(gateway !== undefined && gateway.value > 0.25 && gateway.value < 0.5);
  });

  for (const [query, count] of [
    ["up == 0", 3],
    ['count(up{namespace="shop"})', 1],
    ["topk(3, container_memory_working_set_bytes)", 3],
    ["kube_pod_status_unschedulable == 1", 1],
    ['{__name__="up",pod=~"checkout-.*"}', 2],
    ["2 * (3 + 4)", 1],
    ["up unless up == 0", PODS.length - 5],
    ["nothing_like_it", 0],
  ] as const)
    it(`finds ${count} series for ${query}`, async () => {
      assert.equal((await instant(query)).length, count);
    });

  it("follows precedence and unary minus", async () => {
    assert.equal((await instant("1 + 2 * 3 - -4"))[0]?.value, 11);
  });

  for (const [query, words] of [
    ["predict_linear(up[5m], 3600)", /does not know predict_linear/],
    ["sum(up", /ends? /],
    ["up[5m]", /inside rate/],
    ["rate(up)", /range/],
    ["up * on (x) group_left (y) up", /group_left/],
    ['up{pod=~"(a"}', /regular expression/],
    ['up{pod=~"((([a-z0-9-]+)+)+)+_"}', /takes too long/],
    ["up ; drop", /character/],
    [`${"(".repeat(200)}1`, /nested/],
  ] as const)
    it(`says what is wrong with ${query.slice(0, 30)}`, async () => {
      await assert.rejects(
        instant(query),
        (error) => error instanceof ToolFailure && words.test(error.message),
      );
    });

  it("answers any text with series or a ToolFailure, never another error", async () => {
    const words = [
      "sum",
      "rate",
      "(",
      ")",
      "up",
      "[5m]",
      "by",
      "{",
      "}",
      '"x"',
      "+",
      "=~",
      "1",
      ",",
    ];
    const text = fc.oneof(
      fc.string({ maxLength: 60 }),
      fc.array(fc.constantFrom(...words), { maxLength: 15 }).map((all) => all.join(" ")),
    );
    await fc.assert(
      fc.asyncProperty(text, async (query) => {
        for (const ask of [
          () => instant(query),
          () =>
            source().logs(
              { query, from: BEGIN - 60_000, to: BEGIN, limit: 5, direction: "backward" },
              OPEN,
            ),
        ])
          try {
            await ask();
          } catch (error) {
            assert.ok(error instanceof ToolFailure, String(error));
          }
      }),
      { numRuns: 150 },
    );
  });

  it("shows firing alerts for the faults of the demo and none for what is well", async () => {
    const rules = await source().alertRules(OPEN);
    const firing = rules.filter(({ state }) => state === "firing").map(({ name }) => name);
    assert.deepEqual(firing.sort(), [
      "HighErrorRate",
      "HighLatency",
      "KubeContainerImagePullFailed",
      "KubeContainerOOMKilled",
      "KubePodCrashLooping",
      "KubePodUnschedulable",
    ]);
    const crashing = rules.find(({ name }) => name === "KubePodCrashLooping")?.alerts ?? [];
    assert.ok(crashing.some(({ summary }) => summary.includes("shop/checkout-")));
    for (const { alerts } of rules)
      for (const { activeAt } of alerts) assert.ok(Date.parse(activeAt) <= BEGIN);
  });

  it("selects and filters log lines, the latest of a range", async () => {
    const query = '{namespace="shop",app="checkout"} |= "PAYMENTS_API_URL"';
    const answer = await source().logs(
      { query, from: BEGIN - HOUR, to: BEGIN, limit: 4, direction: "backward" },
      OPEN,
    );
    assert.ok(answer.kind === "lines");
    assert.equal(answer.entries.length, 4);
    for (const { line, at, labels } of answer.entries) {
      assert.match(line, /PAYMENTS_API_URL/);
      assert.equal(labels["level"], "error");
      assert.ok(at <= BEGIN && at > BEGIN - HOUR);
    }
  });

  it("counts log lines and filters by parsed fields", async () => {
    const range = { from: BEGIN - HOUR, to: BEGIN, limit: 10, direction: "backward" } as const;
    const counted = await source().logs(
      { query: 'sum by (app) (count_over_time({namespace="shop"}[5m]))', ...range },
      OPEN,
    );
    assert.ok(counted.kind === "samples");
    assert.ok(counted.samples.some(({ labels }) => labels["app"] === "storefront"));
    const slow = await source().logs(
      { query: '{app="payment-gateway"} | logfmt | duration_ms > 500', ...range },
      OPEN,
    );
    assert.ok(slow.kind === "lines" && slow.entries.length > 0);
    for (const { labels } of slow.entries) assert.ok(Number(labels["duration_ms"]) > 500);
  });

  it("ends a line filter that would backtrack for ever", async () => {
    const query = '{namespace="shop"} |~ "((([a-z=0-9 ]+)+)+)+#"';
    await assert.rejects(
      source().logs({ query, from: BEGIN - HOUR, to: BEGIN, limit: 5, direction: "forward" }, OPEN),
      ToolFailure,
    );
  });

  it("stops for an aborted signal", async () => {
    const reason = new Error("stop");
    await assert.rejects(source().alertRules(AbortSignal.abort(reason)), reason);
  });
});
