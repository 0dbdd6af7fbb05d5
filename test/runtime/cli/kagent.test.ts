import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { readVersion } from "../../../runtime/cli/package-version.ts";
import { type CommandEnd, runCommand } from "../../support/command.ts";
import { startPlatform, type TestPlatform } from "../../support/local-platform.ts";

/** Nothing listens there: port 9 is discard's. */
const NOBODY = "http://127.0.0.1:9";

/** Fields of decisions 30, and what waits for a person. */
const REPORT_FIELDS = [
  "agent",
  "taskId",
  "contextId",
  "state",
  "text",
  "envelope",
  "routing",
  "toolCalls",
  "usage",
  "pending",
  "error",
];

interface Report {
  readonly agent: string;
  readonly taskId: string;
  readonly contextId: string;
  readonly state: string;
  readonly text: string;
  readonly routing: { readonly outcome: string; readonly agents: readonly string[] } | null;
  readonly toolCalls: readonly {
    readonly agent: string;
    readonly name: string;
    readonly args: object;
    readonly ok: boolean | null;
    readonly ms: number | null;
  }[];
  readonly usage: { readonly toolCalls: number } | null;
  readonly pending: readonly { readonly kind: string; readonly name: string }[];
  readonly error: { readonly code: string; readonly message: string } | null;
}

describe("runtime/cli/kagent", function () {
  this.timeout(30_000);
  let test: TestPlatform;
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "kagent-cli-"));
    test = await startPlatform();
  });
  after(async () => {
    await test.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const kagent = (...args: readonly string[]): Promise<CommandEnd> =>
    runCommand(["kagent", ...args], { KAGENT_URL: test.report.urls.api });
  const manifest = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };

  describe("invoke", () => {
    it("prints the answer and nothing else", async () => {
      const { code, stdout, stderr } = await kagent(
        ...["invoke", "-a", "cluster-agent", "-t", "which pods are failing?"],
      );
      assert.equal(code, 0, stderr);
      assert.equal(stderr, "");
      assert.match(stdout, /CrashLoopBackOff/);
    });

    it("tells on standard error what goes on with --stream, the answer once on standard output", async () => {
      const { code, stdout, stderr } = await kagent(
        ...["invoke", "-a", "kagent/coordinator-agent", "--stream", "-t", "why do pods fail?"],
      );
      assert.equal(code, 0, stderr);
      assert.match(stderr, /kagent\/coordinator-agent: rule -> kagent\/cluster-agent/);
      assert.match(stderr, /kagent\/cluster-agent: k8s-tools-services-amer_k8s_get_resources \{/);
      assert.equal(stdout.match(/### Issues/g)?.length, 1, stdout);
    });

    it("prints one report with --json: routing, tool calls with their outcome, usage", async () => {
      const { code, stdout, stderr } = await kagent(
        ...["invoke", "-a", "coordinator-agent", "--json", "-t", "which pods are failing?"],
      );
      assert.equal(code, 0, stderr);
      const report = JSON.parse(stdout) as Report;
      assert.deepEqual(Object.keys(report), REPORT_FIELDS);
      assert.equal(report.agent, "kagent/coordinator-agent");
      assert.equal(report.state, "completed");
      assert.match(report.text, /CrashLoopBackOff/);
      assert.notEqual(report.taskId, report.contextId);
      assert.equal(report.routing?.outcome, "rule");
      assert.deepEqual(report.routing.agents, ["kagent/cluster-agent"]);
      const read = report.toolCalls.find(({ name }) => name.endsWith("k8s_get_resources"));
      assert.deepEqual(Object.keys(read ?? {}), ["agent", "name", "args", "ok", "ms"]);
      assert.equal(read?.agent, "kagent/cluster-agent");
      assert.equal(read.ok, true);
      assert.equal(typeof read.ms, "number");
      assert.equal(typeof report.usage?.toolCalls, "number");
      assert.equal(report.error, null);
    });

    it("prints NDJSON with --stream --json: updates, the report last; 1 for a refusal", async () => {
      const { code, stdout } = await kagent(
        ...["invoke", "-a", "coordinator-agent", "-S", "--json"],
        ...["-t", "delete all pods in namespace shop"],
      );
      assert.equal(code, 1);
      const lines = stdout.trimEnd().split("\n");
      const all = lines.map((line) => JSON.parse(line) as { kind: string } & Report);
      assert.equal(all[0]?.kind, "task");
      assert.deepEqual(
        all.slice(-2).map(({ kind, state }) => [kind, state]),
        [
          ["result", "rejected"],
          ["report", "rejected"],
        ],
      );
      assert.deepEqual(Object.keys(all.at(-1) ?? {}), ["kind", ...REPORT_FIELDS]);
      assert.equal(all.at(-1)?.taskId, all[0].taskId);
    });

    it("ends with 4 and says what waits for whom when a write needs approval", async () => {
      const { code, stdout, stderr } = await kagent(
        ...["invoke", "-a", "git-agent", "--json"],
        ...["-t", "open a pull request that sets replicas of checkout to 3 in namespace shop"],
      );
      assert.equal(code, 4, stderr);
      const report = JSON.parse(stdout) as Report;
      assert.equal(report.state, "input-required");
      assert.deepEqual(
        report.pending.map(({ kind, name }) => [kind, name]),
        [["approval", "github_create_branch"]],
      );
      const write = report.toolCalls.find(({ name }) => name === "github_create_branch");
      assert.deepEqual([write?.ok, write?.ms], [null, null], "it has not been called");
    });

    it("names an agent that is not there, and where the others are listed", async () => {
      const { code, stdout, stderr } = await kagent("invoke", "-a", "nobody", "-t", "hello");
      assert.equal(code, 1);
      assert.equal(stdout, "");
      assert.match(stderr, /agent kagent\/nobody not found.*kagent get agents/);
      assert.doesNotMatch(stderr, /\n\s+at /, "no stack");
    });

    it("says how to start a platform when none answers (3), with --json too", async () => {
      const ask = ["invoke", "-a", "code-agent", "-t", "hello", "--kagent-url", NOBODY];
      const [plain, json] = await Promise.all([kagent(...ask), kagent(...ask, "--json")]);
      for (const { code, stderr } of [plain, json]) {
        assert.equal(code, 3, stderr);
        assert.match(stderr, /no platform answers at http:\/\/127\.0\.0\.1:9\..*npm start/);
      }
      assert.equal((JSON.parse(json.stdout) as Report).error?.code, "unreachable");
    });

    it("refuses options that make no sense (2)", async () => {
      const [missing, timeout, blank] = await Promise.all([
        kagent("invoke", "-a", "code-agent"),
        kagent("invoke", "-a", "code-agent", "-t", "hello", "--timeout", "soon"),
        kagent("invoke", "-a", "code-agent", "-t", "  "),
      ]);
      assert.deepEqual([missing.code, timeout.code, blank.code], [2, 2, 2]);
      assert.match(missing.stderr, /--task/);
      assert.match(timeout.stderr, /--timeout: whole seconds/);
      assert.match(blank.stderr, /--task: nothing to ask/);
    });
  });

  describe("get", () => {
    it("lists agents as a table and as JSON; a kind that is none is a wrong call", async () => {
      const [table, json, nonsense] = await Promise.all([
        kagent("get", "agents"),
        kagent("get", "agents", "--json"),
        kagent("get", "nonsense"),
      ]);
      assert.equal(table.code, 0, table.stderr);
      const [header, ...rows] = table.stdout.trimEnd().split("\n");
      assert.match(header ?? "", /^AGENT +TYPE +MODEL +TOOLS +ACCEPTED +READY +DESCRIPTION$/);
      assert.equal(rows.length, 10);
      assert.match(rows[0] ?? "", /^kagent\/cluster-agent +Declarative +\S.* +\d+ +True +True +\S/);
      const agents = JSON.parse(json.stdout) as { agent: { metadata: { name: string } } }[];
      assert.equal(agents.length, 10);
      assert.equal(nonsense.code, 2);
      assert.match(nonsense.stderr, /no kind 'nonsense'; one of: agents, models/);
    });
  });

  describe("lint", () => {
    const agent = (name: string, lines: readonly string[]): string =>
      [
        "apiVersion: kagent.dev/v1alpha2",
        "kind: Agent",
        `metadata: { name: ${name}, namespace: kagent }`,
        "spec:",
        "  type: Declarative",
        `  description: Is ${name}.`,
        "  declarative:",
        "    systemMessage: You test.",
        ...lines.map((line) => `    ${line}`),
        "",
      ].join("\n");
    const calling = (name: string) => `tools: [{ type: Agent, agent: { name: ${name} } }]`;
    const model = [
      "apiVersion: kagent.dev/v1alpha2",
      "kind: ModelConfig",
      "metadata: { name: default-model-config, namespace: kagent }",
      "spec: { provider: Ollama, model: 'qwen2.5:14b' }",
      "",
    ].join("\n");
    const tools = Array.from({ length: 21 }, (_, index) => `k8s_t${index}`);

    it("ends with 0 for manifests without errors", async () => {
      const file = manifest("good.yaml", [model, agent("good", [])].join("---\n"));
      const { code, stdout, stderr } = await kagent("lint", file);
      assert.equal(code, 0, stdout + stderr);
      assert.match(stdout, /^0 errors/m);
    });

    it("names each broken rule with object and path, and ends with 1", async () => {
      const documents = [
        model,
        agent("unknown-field", ["sistemMessage: x"]),
        agent("wrong-type", ["stream: 7"]),
        agent("dangling", [calling("nobody")]),
        agent("left", [calling("right")]),
        agent("right", [calling("left")]),
        agent("greedy", [
          `tools: [{ type: McpServer, mcpServer: { name: k8s, kind: RemoteMCPServer, toolNames: [${tools.join(", ")}] } }]`,
        ]),
      ];
      const file = manifest("bad.yaml", documents.join("---\n"));
      const broken = manifest("broken.yaml", "kind: [");
      const { code, stdout, stderr } = await kagent("lint", "--json", file, broken);
      assert.equal(code, 1, stderr);
      const { findings } = JSON.parse(stdout) as {
        findings: { source: string; object: string; path: string; message: string }[];
      };
      const about = (object: string) =>
        findings
          .filter((finding) => finding.object === `Agent/kagent/${object}`)
          .map(({ path, message }) => `${path}: ${message}`)
          .join("\n");
      assert.match(about("unknown-field"), /^spec\.declarative\.sistemMessage: /m);
      assert.match(about("wrong-type"), /^spec\.declarative\.stream: /m);
      assert.match(about("dangling"), /^spec\.declarative\.tools\[0\]\.agent.*kagent\/nobody/m);
      assert.match(about("left") + about("right"), /spec\.declarative\.tools\[0\].*left.*right/);
      assert.match(about("greedy"), /^spec\.declarative\.tools.*21/m);
      assert.ok(findings.some(({ source, message }) => source === broken && message !== ""));
    });

    it("says which file cannot be read (2)", async () => {
      const { code, stderr } = await kagent("lint", join(folder, "absent.yaml"));
      assert.equal(code, 2);
      assert.match(stderr, /failed to read .*absent\.yaml: ENOENT/);
    });
  });

  describe("version", () => {
    it("tells both versions; a platform that is away is no failure", async () => {
      const [both, alone] = await Promise.all([
        kagent("version", "--json"),
        kagent("version", "--kagent-url", NOBODY),
      ]);
      assert.equal(both.code, 0);
      assert.deepEqual(JSON.parse(both.stdout), { client: readVersion(), server: "0.0.0" });
      assert.equal(alone.code, 0);
      assert.match(alone.stdout, /^server none at http:\/\/127\.0\.0\.1:9$/m);
    });
  });
});
