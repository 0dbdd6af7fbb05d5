import assert from "node:assert/strict";
import { after, before, describe, it } from "mocha";
import { type CommandEnd, runCommand } from "../../support/command.ts";
import { startPlatform, type TestPlatform } from "../../support/local-platform.ts";

interface Entry {
  readonly taskId: string;
  readonly callId: string;
  readonly agent: { readonly name: string };
  readonly tool: string;
  readonly args: Readonly<Record<string, string>>;
}
interface Report {
  readonly taskId: string;
  readonly state: string;
  readonly text: string;
  readonly pending: readonly { readonly name: string; readonly args: Record<string, string> }[];
  readonly error: { readonly code: string; readonly message: string } | null;
}

describe("runtime/cli approvals", function () {
  this.timeout(60_000);
  let test: TestPlatform;
  before(async () => {
    test = await startPlatform();
  });
  after(async () => {
    await test.stop();
  });

  const kagent = (...args: readonly string[]): Promise<CommandEnd> =>
    runCommand(["kagent", ...args], { KAGENT_URL: test.report.urls.api });
  const json = async <T>(
    ...args: readonly string[]
  ): Promise<T & { readonly code: number | null }> => {
    const { code, stdout, stderr } = await kagent(...args, "--json");
    assert.notEqual(stdout, "", stderr);
    const value = JSON.parse(stdout) as T;
    return Object.assign(value as T & object, { code });
  };
  const ask = (agent: string, what: string) =>
    kagent("invoke", "-a", agent, "-t", `open a pull request that sets replicas of ${what}`);

  it("show the change, run it as edited, and leave what is not approved alone", async () => {
    const asked = await ask("git-agent", "checkout to 3 in namespace shop");
    assert.equal(asked.code, 4);
    const [branch] = await json<Entry[]>("get", "approvals");
    assert.ok(branch !== undefined);
    const { taskId } = branch;
    assert.match(asked.stderr, new RegExp(`npx kagent approve ${taskId}\n`));
    assert.match(
      asked.stderr,
      /- github_create_branch \(call .*\)\n {4}branch: "agent\/checkout-replicas-3"/,
    );

    const second = await kagent("approve", taskId.slice(0, 12));
    assert.equal(second.code, 4, second.stderr);
    assert.match(second.stderr, /\n {4}- {2}replicas: 2\n {4}\+ {2}replicas: 3\n/);

    const [file] = await json<Entry[]>("get", "approvals");
    assert.ok(file !== undefined);
    const wrong = JSON.stringify({ ...file.args, branch: "main" });
    const refused = await json<Report>("approve", taskId, "--edit", `${file.callId}=${wrong}`);
    assert.equal(refused.code, 1);
    assert.match(refused.error?.message ?? "", /Nothing was executed.*begins with agent\//);

    const content = file.args["content"]?.replace("replicas: 3", "replicas: 4") ?? "";
    const edit = `${file.callId}=${JSON.stringify({ ...file.args, content })}`;
    const third = await json<Report>("approve", taskId, "--edit", edit);
    assert.deepEqual(
      third.pending.map(({ name }) => name),
      ["github_create_pull_request"],
    );

    const last = await kagent("reject", taskId, "--reason", "not today");
    assert.equal(last.code, 0, last.stderr);
    assert.match(last.stdout, /rejected by user\. Reason: not today/);
    assert.deepEqual(await json<Entry[]>("get", "approvals").then((all) => all.length), 0);
  });

  it("of an agent below are decided above, and cancelled with it", async () => {
    const asked = await ask("coordinator-agent", "storefront to 5 in namespace shop");
    assert.equal(asked.code, 4);
    const table = await kagent("get", "approvals");
    const [header, row, ...more] = table.stdout.trimEnd().split("\n");
    assert.match(header ?? "", /^TASK +AGENT +TOOL +EXPIRES +ARGUMENTS$/);
    assert.match(row ?? "", /kagent\/coordinator-agent +github_create_branch +in \d+m +\{"branch"/);
    assert.deepEqual(more, [], "one request, not one for each agent");
    const [entry] = await json<Entry[]>("get", "approvals");
    const detail = await kagent("get", "approvals", entry?.taskId ?? "");
    assert.match(detail.stdout, /Approve: {2}npx kagent approve/);
    const next = await json<Report[]>("approve", "--all");
    assert.deepEqual([next.code, next[0]?.pending[0]?.name], [4, "github_create_or_update_file"]);
    const ended = await json<{ state: string }[]>("cancel", "--all");
    assert.deepEqual(
      ended.map(({ state }) => state),
      ["canceled"],
    );
    assert.match((await kagent("get", "approvals")).stdout, /^TASK.*\n$/);
    assert.match((await kagent("cancel", "--all")).stderr, /No task of yours is open/);
  });

  it("refuse what makes no sense (2), and what is not there (1)", async () => {
    const ends = await Promise.all([
      kagent("approve"),
      kagent("reject", "x", "--all"),
      kagent("approve", "x", "--edit", "nonsense"),
      kagent("cancel"),
      kagent("approve", "nobody"),
      kagent("cancel", "nobody"),
    ]);
    assert.deepEqual(
      ends.map(({ code }) => code),
      [2, 2, 2, 2, 1, 1],
    );
    assert.match(ends[2].stderr, /--edit: CALL_ID=\{\.\.\.\}/);
    assert.match(ends[4].stderr, /no task nobody waits for you; 'kagent get approvals'/);
    assert.match(ends[5].stderr, /there is no task nobody/);
    for (const { stderr } of ends) assert.doesNotMatch(stderr, /\n\s+at /, "no stack");
  });

  it("are looked at by doctor, with everything else there is to look at", async () => {
    const { code, stdout } = await kagent("doctor");
    assert.equal(code, 0, stdout);
    for (const line of [
      /^ok +node +\d+/m,
      /^warning +platform +http:\/\/127\.0\.0\.1:\d+, version 0\.0\.0; this command is/m,
      /^ok +user +/m,
      /^ok +agents +10 of 10 accepted/m,
      /^ok +tool servers +\d of \d answer, \d+ tools/m,
      /^ok +approvals +none wait for you/m,
    ])
      assert.match(stdout, line);
    const away = await json<{ findings: { check: string; result: string; remedy?: string }[] }>(
      ...["doctor", "--kagent-url", "http://127.0.0.1:9"],
    );
    assert.equal(away.code, 3);
    const platform = away.findings.find(({ check }) => check === "platform");
    assert.equal(platform?.result, "failure");
    assert.match(platform.remedy ?? "", /npm start/);
  });
});
