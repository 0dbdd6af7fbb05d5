import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { before, describe, it } from "mocha";
import type { ClusterReader, KubeObject } from "../../../../runtime/api/cluster-reader.ts";
import type { ToolDefinition } from "../../../../runtime/api/tool.ts";
import { demoCluster } from "../../../../runtime/toolservers/demo/demo-cluster.ts";
import { helmTools } from "../../../../runtime/toolservers/helm/helm-tools.ts";
import { manifestText } from "../../../../runtime/toolservers/helm/manifest-text.ts";
import { readRelease, releaseHead } from "../../../../runtime/toolservers/helm/release.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { callTool, failureOf, textOf } from "../call-tool.ts";

const clock = new FakeClock();
const demo = demoCluster({ clock, name: "services-amer" });

function secret(release: unknown, labels: Readonly<Record<string, string>> = {}): KubeObject {
  const packed =
    typeof release === "string" ? release : gzipSync(JSON.stringify(release)).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Secret",
    type: "helm.sh/release.v1",
    metadata: {
      name: "sh.helm.release.v1.web.v1",
      namespace: "shop",
      labels: { owner: "helm", name: "web", version: "1", status: "deployed", ...labels },
    },
    data: { release: Buffer.from(packed).toString("base64") },
  };
}

function release(changes: Readonly<Record<string, unknown>> = {}): Record<string, unknown> {
  return {
    name: "web",
    namespace: "shop",
    version: 1,
    info: {
      status: "deployed",
      last_deployed: "2026-01-01T00:00:00Z",
      description: "Install complete",
    },
    chart: {
      metadata: { name: "web", version: "1.0.0", appVersion: "9" },
      values: { a: 1, deep: { x: 1, y: 2 } },
    },
    config: { deep: { y: 3 }, dbPassword: "hunter2x" },
    manifest: "",
    ...changes,
  };
}

/** Helm tools over a cluster that holds only these Secrets. */
function over(...secrets: readonly KubeObject[]): readonly ToolDefinition[] {
  const cluster: ClusterReader = {
    ...demo,
    list: (resource, query, signal) =>
      resource.plural === "secrets"
        ? Promise.resolve({ items: secrets, more: false })
        : demo.list(resource, query, signal),
  };
  return helmTools({ cluster, clock });
}

const WEB = { name: "web", namespace: "shop" };

describe("runtime/toolservers/helm/helm-tools", () => {
  let tools: readonly ToolDefinition[];
  before(() => {
    tools = helmTools({ cluster: demo, clock });
  });

  it("lists the latest revision of each release, failed ones first, under the demo's label", async () => {
    const [label, heading, first, ...rest] = (await textOf(tools, "helm_list_releases")).split(
      "\n",
    );
    assert.match(label ?? "", /^# demo cluster/);
    assert.match(
      heading ?? "",
      /^NAMESPACE +NAME +REVISION +UPDATED +STATUS +CHART +APP VERSION +DESCRIPTION$/,
    );
    assert.match(
      first ?? "",
      /^platform +analytics-batch +4 .* failed +batch-runner-0\.7\.0 .*context deadline exceeded/,
    );
    assert.equal(rest.length, 5);
    for (const line of rest) assert.match(line, / deployed /);
  });

  for (const [what, args, expected] of [
    ["one namespace", { namespace: "shop" }, ["cart-redis"]],
    ["failed ones", { failed: true }, ["analytics-batch"]],
    ["part of a name", { filter: "LOK" }, ["loki"]],
    [
      "all namespaces whatever the namespace says",
      { namespace: "shop", all_namespaces: "true", failed: "true" },
      ["analytics-batch"],
    ],
    ["nothing", { pending: true }, []],
  ] as const)
    it(`lists ${what}`, async () => {
      const rows = (await textOf(tools, "helm_list_releases", args)).split("\n").slice(2);
      assert.deepEqual(
        rows.map((row) => row.split(/ {2,}/)[1]),
        expected,
      );
    });

  it("tells the history, the latest last", async () => {
    const args = { name: "analytics-batch", namespace: "platform" };
    const rows = (await textOf(tools, "helm_history", args)).split("\n").slice(2);
    assert.match(rows[0] ?? "", /^3 .* deployed .*Upgrade complete$/);
    assert.match(rows[1] ?? "", /^4 .* failed .*context deadline exceeded$/);
  });

  it("tells the status of the latest revision", async () => {
    const args = { name: "analytics-batch", namespace: "platform" };
    const text = await textOf(tools, "helm_status", args);
    assert.match(
      text,
      /^Status: +failed\nRevision: +4\nDescription: +Upgrade "analytics-batch" failed/m,
    );
  });

  it("shows values with credentials blanked, and with the chart's defaults on demand", async () => {
    const web = over(secret(release()));
    assert.match(
      await textOf(web, "helm_get_values", WEB),
      /\ndeep:\n {2}y: 3\ndbPassword: <redacted>$/,
    );
    const all = await textOf(web, "helm_get_values", { ...WEB, all_values: true });
    assert.match(all, /\na: 1\ndeep:\n {2}x: 1\n {2}y: 3\ndbPassword: <redacted>$/);
  });

  for (const [resource, expected] of [
    [
      "all",
      /Name: +web[\s\S]*VALUES:\n[\s\S]*NOTES:\nhello\nHOOKS:[\s\S]*kind: Job[\s\S]*MANIFEST:\n[\s\S]*kind: Secret/,
    ],
    ["values", /^deep:/m],
    ["manifest", /kind: Secret[\s\S]*key: <redacted, 8 bytes>/],
    ["notes", /\nhello$/],
    ["hooks", /kind: Job/],
  ] as const)
    it(`shows ${resource} of a release`, async () => {
      const document = release({
        info: { status: "deployed", notes: "hello" },
        manifest:
          "---\n# Source: web/secret.yaml\napiVersion: v1\nkind: Secret\nmetadata: {name: a}\nstringData: {key: hunter2x}\n",
        hooks: [
          {
            name: "h",
            kind: "Job",
            events: ["pre-install"],
            manifest: "apiVersion: batch/v1\nkind: Job\nmetadata: {name: h}",
          },
        ],
      });
      const text = await textOf(over(secret(document)), "helm_get_release", { ...WEB, resource });
      assert.match(text, expected);
      assert.ok(!text.includes("hunter2x"));
    });

  it("says where a release of that name is", async () => {
    const args = { name: "loki", namespace: "platform" };
    assert.match(
      await failureOf(tools, "helm_status", args),
      /no Helm release loki in namespace platform; there is loki in namespace monitoring/,
    );
    const nowhere = { name: "loki", namespace: "nowhere" };
    assert.match(
      await failureOf(tools, "helm_status", nowhere),
      /namespace "nowhere" does not exist/,
    );
  });

  for (const [what, args, path] of [
    ["a namespace", { name: "a" }, "namespace"],
    ["a good name", { name: "A_b", namespace: "shop" }, "name"],
    ["a known part", { ...WEB, resource: "secrets" }, "resource"],
  ] as const)
    it(`asks for ${what}`, async () => {
      const { text, isError } = await callTool(tools, "helm_get_release", args);
      assert.equal(isError, true);
      assert.match(text, new RegExp(`invalid arguments: ${path}:`));
    });

  for (const [what, broken] of [
    ["is no base64", "***"],
    ["is no gzip", Buffer.from("plain text").toString("base64")],
    ["is cut off", gzipSync(JSON.stringify(release())).subarray(0, 100).toString("base64")],
    ["is no release", gzipSync("[]").toString("base64")],
    [
      "unpacks to more than 16 MiB",
      gzipSync(JSON.stringify(release({ manifest: " ".repeat(40 * 1024 * 1024) }))).toString(
        "base64",
      ),
    ],
  ] as const)
    it(`names the revision that cannot be read because it ${what}`, async () => {
      const text = await failureOf(over(secret(broken)), "helm_status", WEB);
      assert.match(
        text,
        /revision 1 of release web cannot be read: not a release of Helm 3, or larger than 16777216 bytes/,
      );
    });

  it("reads a release that was stored without gzip", async () => {
    const plain = Buffer.from(JSON.stringify(release())).toString("base64");
    assert.match(await textOf(over(secret(plain)), "helm_status", WEB), /Chart: +web-1\.0\.0/);
  });

  it("passes over Secrets that only look like releases", async () => {
    const odd = [
      secret(release(), { version: "x" }),
      secret(release(), { owner: "somebody" }),
      { ...secret(release()), type: "Opaque" },
    ];
    assert.match(
      await textOf(over(...odd), "helm_list_releases"),
      /no Helm releases in all namespaces/,
    );
  });
});

describe("runtime/toolservers/helm/release", () => {
  it("never throws anything but a failure that names the revision", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.jsonValue(), fc.string()), async (value) => {
        const head = releaseHead(secret(value));
        assert.ok(head);
        await readRelease(head).then(
          () => undefined,
          (error: unknown) => {
            assert.match(String(error), /^ToolFailure: revision 1 of release web cannot be read/);
          },
        );
      }),
      { numRuns: 50 },
    );
  });
});

describe("runtime/toolservers/helm/manifest-text", () => {
  it("blanks what a Secret holds, in every document", () => {
    const documents = ["a", "b"].map(
      (name) =>
        `apiVersion: v1\nkind: Secret\nmetadata:\n  name: ${name}\ndata:\n  x: aHVudGVyMng=\n`,
    );
    const text = manifestText(documents.join("---\n"));
    assert.equal(text.match(/<redacted, 8 bytes>/g)?.length, 2);
    assert.ok(!text.includes("aHVudGVyMng"));
  });

  it("withholds a Secret that is not YAML", () => {
    const text = manifestText("kind: Secret\ndata: {x: aHVudGVyMng=\n");
    assert.equal(text, "# (a document that cannot be read)");
  });

  it("stops at the size of an answer and counts the rest", () => {
    const one = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\ndata:\n  x: ${"y".repeat(10_000)}\n`;
    const text = manifestText(Array.from({ length: 20 }, () => one).join("---\n"));
    assert.ok(text.length < 50_000);
    assert.match(text, /# \.\.\. 16 more documents left out \.\.\.$/);
  });

  it("survives a document that refers to itself a thousand times", () => {
    const bomb = [
      "a: &a [x,x,x,x,x,x,x,x,x]",
      ...["b", "c", "d", "e", "f", "g"].map(
        (name, index) =>
          `${name}: &${name} [${Array.from({ length: 9 }, () => `*${"abcdefg"[index] ?? ""}`).join(",")}]`,
      ),
    ];
    assert.ok(
      manifestText(`apiVersion: v1\nkind: X\nmetadata: {name: a}\n${bomb.join("\n")}`).length <
        100_000,
    );
  });
});
