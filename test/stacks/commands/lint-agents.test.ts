import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";

const COMMAND = join(import.meta.dirname, "../../../stacks/commands/lint-agents.ts");

function lint(...args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [COMMAND, ...args], {
    encoding: "utf8",
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

const SOUND = `
apiVersion: kagent.dev/v1alpha2
kind: ModelConfig
metadata: { name: default-model-config, namespace: kagent }
spec: { provider: Ollama, model: m, ollama: {} }
---
apiVersion: v1
kind: Namespace
metadata: { name: kagent }
`;
const AGENT = (name: string, tool: string) => `
apiVersion: kagent.dev/v1alpha2
kind: Agent
metadata: { name: ${name} }
spec: { declarative: { systemMessage: x, tools: [{ type: Agent, agent: { name: ${tool} } }] } }
`;

describe("stacks/commands/lint-agents", function () {
  this.timeout(60_000);
  let folder = "";
  const file = (name: string, text: string) => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "lint-agents-"));
  });
  after(() => {
    rmSync(folder, { recursive: true });
  });

  it("finds no error in the definitions of any stack", () => {
    const { status, stdout, stderr } = lint();
    assert.equal(stderr, "");
    assert.match(stdout, /\n0 errors, \d+ warnings in \d+ objects of dev, prod\n$/);
    assert.equal(status, 0);
  });

  it("takes the files as one set, with one line for each violation and exit code 1", () => {
    const sound = file("sound.yaml", SOUND);
    const a = file("a.yaml", AGENT("a", "b"));
    const b = file("b.json", JSON.stringify(JSON_AGENT));
    const { status, stdout } = lint(sound, a, b);
    assert.equal(
      stdout,
      `${a}: Agent kagent/a: spec.declarative.tools[0].agent: agents call each other in a circle: kagent/a -> kagent/b -> kagent/a\n` +
        `1 error, 0 warnings in 3 objects of ${sound}, ${a}, ${b} (1 object of other APIs not checked)\n`,
    );
    assert.equal(status, 1);
  });

  it("exits 0 where there is nothing but sound objects and others", () => {
    const { status, stdout } = lint(file("sound.yaml", SOUND));
    assert.match(
      stdout,
      /^0 errors, 0 warnings in 1 object of .* \(1 object of other APIs not checked\)\n$/,
    );
    assert.equal(status, 0);
  });

  it("says where a file cannot be read, and goes on with the others", () => {
    const broken = file("broken.yaml", "a: [1,\nb: }\n");
    const dangling = file("dangling.yaml", AGENT("a", "nobody"));
    const { status, stdout } = lint(broken, dangling);
    assert.match(stdout, new RegExp(`^${broken}: documents\\[0\\]: .* at line 2`));
    assert.match(stdout, /Agent kagent\/nobody does not exist/);
    assert.equal(status, 1);
  });

  it("survives a bomb of aliases", () => {
    const levels = Array.from({ length: 12 }, (_, at) => {
      const items = Array.from({ length: 10 }, () => (at === 0 ? "x" : `*a${at - 1}`)).join(", ");
      return `a${at}: &a${at} [${items}]`;
    });
    const { status, stdout } = lint(file("bomb.yaml", levels.join("\n")));
    assert.match(stdout, /bomb\.yaml: documents\[0\]: /);
    assert.equal(status, 1);
  });

  it("prints one JSON document on request", () => {
    const { status, stdout } = lint("--json", file("dangling.yaml", AGENT("a", "nobody")));
    const { findings, errors } = JSON.parse(stdout) as {
      findings: readonly { readonly path: string; readonly rule: string }[];
      errors: number;
    };
    assert.equal(findings.length, errors);
    assert.ok(findings.some(({ path }) => path === "spec.declarative.tools[0].agent"));
    assert.equal(status, 1);
  });

  it("explains itself, and a wrong call by exit code 2", () => {
    assert.match(lint("--help").stdout, /^Usage: npm run lint:agents/);
    const { status, stderr } = lint("--no-such-option");
    assert.match(stderr, /Usage: /);
    assert.equal(status, 2);
  });

  it("fails with a sentence for a file that is not there", () => {
    const { status, stderr } = lint(join(folder, "missing.yaml"));
    assert.match(stderr, /missing\.yaml/);
    assert.equal(status, 1);
  });
});

const JSON_AGENT = {
  apiVersion: "kagent.dev/v1alpha2",
  kind: "Agent",
  metadata: { name: "b" },
  spec: { declarative: { systemMessage: "x", tools: [{ type: "Agent", agent: { name: "a" } }] } },
};
