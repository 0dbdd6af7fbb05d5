import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { Envelope, EnvelopeAnswer, SEVERITIES } from "../../../runtime/api/envelope.ts";
import {
  envelopeAnswerJsonSchema,
  parseEnvelope,
  renderEnvelopes,
  wrapFreeText,
} from "../../../runtime/api/envelope-markdown.ts";

const envelope = (part: Partial<Envelope> = {}) => ({
  ...Envelope.parse({
    schema_version: "2",
    agent: "cluster-agent",
    summary: "2 of 14 pods are failing",
    severity: "warning",
    data: { scope: { cluster: "services-amer" } },
  }),
  ...part,
});
const data = (part: Partial<Envelope["data"]>) => ({ ...envelope().data, ...part });

describe("runtime/api/envelope-markdown", () => {
  it("renders severity, summary, resources, issues, change, evidence and next step", () => {
    const text = renderEnvelopes([
      envelope({
        data: data({
          resources: {
            Pod: {
              columns: ["name", "restarts"],
              items: [
                ["checkout-7d9f", 12],
                ["cart-1", null],
              ],
            },
          },
          issues: [
            {
              resource_kind: "Pod",
              resource_name: "checkout-7d9f",
              namespace: "shop",
              severity: "error",
              message: "OOMKilled",
              evidence: "exit code 137",
            },
          ],
          proposed_change: {
            file_path: "apps/shop/checkout.yaml",
            yaml_diff: "-  memory: 128Mi\n+  memory: 256Mi\n",
            rationale: "peaks at 190Mi",
          },
        }),
        evidence: [{ tool: "k8s-tools-a_k8s_get_resources", cluster: "a", excerpt: "NAME  READY" }],
        raw_data_truncated: true,
        recommended_action: "Raise the memory limit",
      }),
    ]);
    assert.equal(
      text,
      [
        "**Warning: 2 of 14 pods are failing**",
        "### Pod",
        "| name | restarts |\n| --- | --- |\n| checkout-7d9f | 12 |\n| cart-1 |  |",
        "### Issues",
        "| Severity | Resource | Namespace | Problem | Evidence |\n| --- | --- | --- | --- | --- |\n" +
          "| Error | Pod/checkout-7d9f | shop | OOMKilled | exit code 137 |",
        "### Proposed change",
        "apps/shop/checkout.yaml: peaks at 190Mi",
        "```diff\n-  memory: 128Mi\n+  memory: 256Mi\n```",
        "### Evidence",
        "- k8s-tools-a_k8s_get_resources (a): NAME READY",
        "Long tool output was shortened before it was read.",
        "*Next step: Raise the memory limit*",
      ].join("\n\n"),
    );
  });

  it("fences a diff that holds a fence", () => {
    const yaml_diff = "+ a: |\n````\n+ b\n";
    const proposed_change = { file_path: "f", yaml_diff, rationale: "" };
    assert.match(
      renderEnvelopes([envelope({ data: data({ proposed_change }) })]),
      /\n`````diff\n\+ a: \|\n````\n\+ b\n`````$/,
    );
  });

  it("leaves out what is empty", () => {
    assert.equal(renderEnvelopes([envelope()]), "**Warning: 2 of 14 pods are failing**");
    assert.equal(renderEnvelopes([]), "");
  });

  it("gives several answers a section each under the highest severity", () => {
    const text = renderEnvelopes([
      envelope(),
      envelope({ agent: "git-agent", severity: "critical", summary: "gone" }),
      envelope({ agent: "finops-agent", severity: "info", summary: "cheap" }),
    ]);
    assert.deepEqual(text.split("\n\n"), [
      "**Critical: 3 agents answered**",
      "## cluster-agent",
      "**Warning: 2 of 14 pods are failing**",
      "## git-agent",
      "**Critical: gone**",
      "## finops-agent",
      "**Info: cheap**",
    ]);
  });

  it("names a status that is not ok", () => {
    assert.match(renderEnvelopes([envelope({ status: "partial" })]), /^\*\*Warning \(partial\): /);
    assert.match(
      renderEnvelopes([envelope({ status: "error", severity: "error" })]),
      /^\*\*Error: /,
    );
  });

  it("keeps the paragraphs of a long summary", () => {
    assert.equal(
      renderEnvelopes([envelope({ summary: "First\nline.\n\n# Second\n- third" })]),
      "**Warning: First line.**\n\n\\# Second\n\\- third",
    );
  });

  it("keeps cells of rows that are longer or shorter than the columns", () => {
    const resources = { Pod: { columns: ["name"], items: [["a", "b", "c"], []] } };
    assert.match(
      renderEnvelopes([envelope({ data: data({ resources }) })]),
      /\| name \| {2}\| {2}\|\n\| --- \| --- \| --- \|\n\| a \| b \| c \|\n\| {2}\| {2}\| {2}\|$/,
    );
  });

  it("shows an envelope whose text is hostile without markup, broken tables or broken fences", () => {
    const hostile = fc.oneof(
      fc.constantFrom(
        "a|b",
        "`x`",
        "```\n",
        "<img src=x>",
        "[a](javascript:b)",
        "**",
        "a\n| b |",
        "\\|",
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(hostile, { minLength: 6, maxLength: 6 }), (texts) => {
        const [kind, cell, message, diff, excerpt, action] = texts as [
          string,
          string,
          string,
          string,
          string,
          string,
        ];
        const rendered = renderEnvelopes([
          envelope({
            data: data({
              resources: { [`k${kind}`]: { columns: ["c"], items: [[cell]] } },
              issues: [
                {
                  resource_kind: kind,
                  resource_name: "n",
                  namespace: "",
                  severity: "info",
                  message,
                  evidence: "",
                },
              ],
              proposed_change: { file_path: "f", yaml_diff: `x${diff}`, rationale: "" },
            }),
            evidence: [{ tool: "t", cluster: "", excerpt }],
            recommended_action: action,
          }),
        ]);
        const outside = rendered.replace(/^(`{3,})diff\n[\s\S]*?\n\1$/m, "");
        for (const line of outside.split("\n")) {
          const bare = line.replace(/\\./g, "");
          assert.doesNotMatch(bare, /[<`[]/);
          if (line.startsWith("|")) assert.ok([3, 7].includes(bare.split("|").length), line);
        }
      }),
    );
  });

  it("reads back what it is given, as data, as text and in a fence", () => {
    const whole = envelope();
    const json = JSON.stringify(whole);
    for (const input of [whole, json, ` ${json}\n`, `\`\`\`json\n${json}\n\`\`\``])
      assert.deepEqual(parseEnvelope(input), whole);
  });

  it("drops unknown keys of other writers", () => {
    assert.deepEqual(parseEnvelope({ ...envelope(), extra: 1 }), envelope());
  });

  for (const input of [
    undefined,
    null,
    7,
    "",
    "{",
    "text",
    "[]",
    "{}",
    { schema_version: "1" },
    "```\n```",
  ])
    it(`takes ${JSON.stringify(input)} for no envelope`, () => {
      assert.equal(parseEnvelope(input), undefined);
    });

  it("never throws on what is parsed or rendered", () => {
    fc.assert(
      fc.property(fc.anything(), fc.json(), (value, json) => {
        parseEnvelope(value);
        parseEnvelope(json);
      }),
    );
  });

  it("passes a short answer outside the schema on as it is", () => {
    const text = "All **good**.";
    assert.equal(renderEnvelopes([wrapFreeText("git-agent", text)]), text);
    assert.equal(wrapFreeText("git-agent", text).summary, text);
  });

  it("marks a long answer outside the schema, with its agent and all of its text", () => {
    const text = `# Title\n\n${"word ".repeat(60)}`;
    const wrapped = wrapFreeText("git-agent", text);
    assert.match(wrapped.summary, /^SCHEMA_INVALID: git-agent /);
    const rendered = renderEnvelopes([wrapped]);
    assert.match(rendered, /^\*\*SCHEMA_INVALID\*\* \(git-agent\)/);
    assert.ok(rendered.endsWith(text));
    assert.ok(renderEnvelopes([envelope(), wrapped]).includes(text));
  });

  it("wraps into an envelope that parses, even an empty answer", () => {
    for (const text of ["", " ", "a", "b".repeat(500)]) {
      const wrapped = wrapFreeText("git-agent", text);
      assert.deepEqual(parseEnvelope(JSON.stringify(wrapped)), wrapped);
    }
  });

  it("shows an error instead of the free text of an agent that failed", () => {
    const failed = {
      ...wrapFreeText("git-agent", "x"),
      status: "error",
      severity: "error",
    } as const;
    assert.equal(renderEnvelopes([{ ...failed, summary: "no answer" }]), "**Error: no answer**");
  });

  it("asks models for every field, in a schema that the answer's own schema agrees with", () => {
    const schema = envelopeAnswerJsonSchema();
    assert.deepEqual(schema["required"], Object.keys(EnvelopeAnswer.shape));
    const text = JSON.stringify(schema);
    for (const keyword of ["$schema", '"default"', "propertyNames", "$ref"])
      assert.ok(!text.includes(keyword), keyword);
    assert.ok(SEVERITIES.every((severity) => text.includes(`"${severity}"`)));
  });
});
