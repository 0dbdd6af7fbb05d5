import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { type PromptScope, renderPrompt } from "../../../runtime/controller/prompt-template.ts";

const FRAGMENTS = new Map([
  ["prompts/greeting", "Hello, world!"],
  ["prompts/template", "This has {{.AgentName}} in it"],
]);

const SCOPE: PromptScope = {
  variables: {
    AgentName: "my-agent",
    AgentNamespace: "production",
    Description: "",
    ToolNames: ["get-pods", "get-logs"],
    SkillNames: [],
  },
  include: (path) => {
    const text = FRAGMENTS.get(path);
    return text === undefined ? { problem: `there is no ${path}` } : { text };
  },
};

function text(template: string): string {
  const rendered = renderPrompt(template, SCOPE);
  assert.ok(rendered.ok, JSON.stringify(rendered));
  return rendered.text;
}

function problems(template: string): readonly string[] {
  const rendered = renderPrompt(template, SCOPE);
  return rendered.ok ? [] : rendered.problems;
}

const KNOWN =
  "there are include, .AgentName, .AgentNamespace, .Description, .ToolNames, .SkillNames";

describe("runtime/controller/prompt-template", () => {
  for (const [what, template, expected] of [
    ["text without actions", "Plain } { }} text.", "Plain } { }} text."],
    ["a fragment", '{{include "prompts/greeting"}} Bye.', "Hello, world! Bye."],
    ["a fragment in raw quotes", "{{ include `prompts/greeting` }}", "Hello, world!"],
    [
      "a fragment as it is, actions and all",
      '{{include "prompts/template"}}',
      "This has {{.AgentName}} in it",
    ],
    ["variables", "I am {{.AgentName}} in {{ $.AgentNamespace }}.", "I am my-agent in production."],
    ["an empty variable", "[{{.Description}}]", "[]"],
    ["a list as Go prints it", "{{.ToolNames}}{{.SkillNames}}", "[get-pods get-logs][]"],
    ["the items of a list", "{{range .ToolNames}}{{.}}, {{end}}", "get-pods, get-logs, "],
    ["what is there instead of items", "{{range .SkillNames}}{{.}}{{else}}none{{end}}", "none"],
    [
      "variables beside items",
      "{{range .ToolNames}}{{$.AgentName}}/{{.}} {{end}}",
      "my-agent/get-pods my-agent/get-logs ",
    ],
    ["an alternative", "{{if .Description}}a{{else}}b{{end}}{{if .ToolNames}}c{{end}}", "bc"],
    [
      "alternatives inside lists",
      "{{range .ToolNames}}{{if $.Description}}a{{else}}{{.}};{{end}}{{end}}",
      "get-pods;get-logs;",
    ],
    ["lengths", "{{len .ToolNames}} {{len .SkillNames}} {{len .AgentName}}", "2 0 8"],
    ["comments", 'a{{/* }} not " shown */}}b', "ab"],
    ["trimmed space", "a \n {{- .AgentName -}} \n b", "amy-agentb"],
    ["trimmed space beside comments", "a {{- /* c */ -}} b", "ab"],
    ["a dash that trims nothing", "a {{.AgentName }} b", "a my-agent b"],
  ] as const) {
    it(`writes ${what}`, () => {
      assert.equal(text(template), expected);
    });
  }

  for (const [what, template, expected] of [
    [
      "an unknown variable",
      "Hi {{.Name}}",
      [`line 1, column 4: unknown action {{.Name}}; ${KNOWN}`],
    ],
    [
      "a function that there is not",
      'a\nb {{printf "%s" .AgentName}}',
      [`line 2, column 3: unknown action {{printf "%s" .AgentName}}; ${KNOWN}`],
    ],
    [
      "a pipe",
      "{{.AgentName | html}}",
      [`line 1, column 1: unknown action {{.AgentName | html}}; ${KNOWN}`],
    ],
    ["an empty action", "{{}}", [`line 1, column 1: unknown action {{}}; ${KNOWN}`]],
    ["a dot outside of a list", "{{.}}", [`line 1, column 1: unknown action {{.}}; ${KNOWN}`]],
    [
      "a variable of the item",
      "{{range .ToolNames}}{{.AgentName}}{{end}}",
      ["line 1, column 21: inside range a dot is the item; write {{$.AgentName}}"],
    ],
    [
      "a fragment that is not there",
      '{{include "prompts/gone"}}',
      ["line 1, column 1: there is no prompts/gone"],
    ],
    [
      "include without a path",
      "{{include .AgentName}}",
      ['line 1, column 1: include wants one path in quotes, such as {{include "prompts/tone"}}'],
    ],
    ["an action without end", "a\n\n  {{.AgentName", ["line 3, column 3: {{ without }}"]],
    ["a quote without end", '{{include "a}} b', ["line 1, column 1: {{ without }}"]],
    ["a comment without end", "{{/* a }} b", ["line 1, column 1: {{ without }}"]],
    [
      "a block without end",
      "{{if .AgentName}}a",
      ["line 1, column 1: {{if .AgentName}} without {{end}}"],
    ],
    [
      "an end without block",
      "a{{end}}b{{else}}",
      ["line 1, column 2: {{end}} without a block", "line 1, column 10: {{else}} without a block"],
    ],
    [
      "a second else",
      "{{if .AgentName}}{{else}}{{else}}{{end}}",
      ["line 1, column 26: a second {{else}}"],
    ],
    [
      "a range through text",
      "{{range .AgentName}}{{end}}",
      ["line 1, column 1: .AgentName is no list: range cannot go through it"],
    ],
    [
      "a range inside a range",
      "{{range .ToolNames}}{{range $.ToolNames}}{{end}}{{end}}",
      ["line 1, column 21: a range inside a range"],
    ],
  ] as const) {
    it(`refuses ${what}, and says where`, () => {
      assert.deepEqual(problems(template), expected);
    });
  }

  it("names everything that is wrong at once", () => {
    assert.equal(problems('{{.A}} {{include "b"}} {{if .C}}{{.D}}{{end}} {{').length, 5);
  });

  it("has an end for whatever depth, and a few words for many mistakes", () => {
    const deep = "{{if .AgentName}}".repeat(1_000);
    assert.ok(problems(deep).some((problem) => problem.includes("more than 16 blocks")));
    assert.equal(problems("{{.A}}".repeat(1_000)).length, 20);
  });

  it("refuses a text that no worker could be given", () => {
    const template = `{{range .ToolNames}}${"x".repeat(500_000)}{{end}}`;
    assert.deepEqual(problems(template), ["the text is longer than 921600 characters"]);
  });

  it("takes time in proportion to hostile text", function () {
    this.timeout(5_000);
    for (const part of ["{{/*", "/**/", '{{"', "{{`", "{{- ", "{{", '"', "{{.AgentName}}"]) {
      renderPrompt(`{{${part.repeat(20_000)}`, SCOPE);
      renderPrompt(part.repeat(20_000), SCOPE);
    }
  });

  it("leaves text without braces alone, and never throws", () => {
    fc.assert(
      fc.property(fc.string(), (plain) => {
        if (!plain.includes("{{")) assert.equal(text(plain), plain);
      }),
    );
    const piece = fc.constantFrom(
      "{{",
      "}}",
      "-",
      " ",
      '"',
      "`",
      "/*",
      "*/",
      ".",
      "$",
      "range ",
      "if ",
      "end",
      "else",
      ".ToolNames",
      "include ",
      "\n",
      "a",
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        renderPrompt(pieces.join(""), SCOPE);
      }),
      { numRuns: 1_000 },
    );
  });
});
