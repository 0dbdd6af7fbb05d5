import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { parseAllDocuments } from "yaml";
import type { ToolDefinition } from "../../../../runtime/api/tool.ts";
import { gitTools } from "../../../../runtime/toolservers/git/git-tools.ts";
import { FakeClock } from "../../../support/fake-clock.ts";
import { callTool, failureOf, textOf } from "../call-tool.ts";

const searchPath = process.env["PATH"] ?? "";
const CONFIG = "apps/shop/checkout/config.yaml";

describe("runtime/toolservers/git/git-tools", () => {
  let directory: string;
  let tools: readonly ToolDefinition[];
  let branches = 0;

  before(async function () {
    this.timeout(20_000);
    directory = await mkdtemp(join(tmpdir(), "git-tools-"));
    tools = openTools(join(directory, "main"));
    await textOf(tools, "list_branches");
  });
  after(async () => rm(directory, { recursive: true }));

  function openTools(
    path: string,
    changes: { readonly searchPath?: string } = {},
  ): readonly ToolDefinition[] {
    return gitTools({
      directory: path,
      clock: new FakeClock(),
      owner: "demo",
      repo: "platform-gitops",
      cluster: "services-amer",
      searchPath,
      ...changes,
    });
  }

  /** A fresh branch of agents. */
  async function branch(): Promise<string> {
    branches += 1;
    const name = `agent/change-${branches}`;
    await textOf(tools, "create_branch", { branch: name });
    return name;
  }

  /** Content and sha of a file. */
  async function file(
    path: string,
    ref?: string,
  ): Promise<{ readonly content: string; readonly sha: string }> {
    const text = await textOf(tools, "get_file_contents", {
      path,
      ...(ref === undefined ? {} : { ref }),
    });
    const [head = "", ...lines] = text.split("\n");
    const sha = /\(sha ([0-9a-f]{40}), \d+ bytes\)$/.exec(head)?.[1];
    assert.ok(sha, head);
    return { content: lines.join("\n"), sha };
  }

  function git(...args: readonly string[]): string {
    const repository = join(directory, "main", "repository.git");
    return execFileSync("git", ["--git-dir", repository, ...args], { encoding: "utf8" });
  }

  async function json(
    name: string,
    args: Readonly<Record<string, unknown>> = {},
  ): Promise<Record<string, unknown>[]> {
    const text = await textOf(tools, name, args);
    const parsed = JSON.parse(text.split("\n\n")[0] ?? "") as unknown;
    return parsed as Record<string, unknown>[];
  }

  describe("the repository", () => {
    it("is made on the first call and holds manifests that parse", async () => {
      const paths = git("ls-tree", "-r", "--name-only", "main").trim().split("\n");
      assert.ok(paths.length > 30);
      for (const path of paths.filter((each) => each.endsWith(".yaml"))) {
        const documents = parseAllDocuments(git("show", `main:${path}`));
        assert.ok(
          documents.every(({ errors }) => errors.length === 0),
          path,
        );
      }
      assert.equal(git("fsck", "--strict", "--no-dangling").trim(), "");
    });

    it("tells in its history what broke the demo cluster", async () => {
      const commits = await json("list_commits", { path: "apps/shop/checkout" });
      const [latest] = commits;
      const text = await textOf(tools, "get_commit", { sha: String(latest?.["sha"]) });
      assert.match(text, /^-\s+PAYMENTS_API_URL: /m);
    });

    it("holds no credential", () => {
      assert.equal(
        git("log", "-p", "--all", "-S", "demo-not-a-password", "--format=%H").trim(),
        "",
      );
    });

    it("is kept over a restart and made once by calls at the same time", async () => {
      const path = join(directory, "twice");
      const once = openTools(path);
      const answers = await Promise.all(
        ["list_branches", "list_commits", "list_pull_requests"].map(async (name) =>
          textOf(once, name),
        ),
      );
      const again = openTools(path);
      assert.equal(await textOf(again, "list_branches"), answers[0]);
      assert.deepEqual((await readdir(path)).sort(), ["records", "repository.git"]);
    });

    it("says that git is missing, and nothing else fails", async () => {
      const none = openTools(join(directory, "none"), { searchPath: directory });
      for (const name of ["list_branches", "list_pull_requests"])
        assert.match(await failureOf(none, name), /git is not installed on this machine/);
    });

    it("reads no configuration of the machine", async () => {
      const home = process.env["HOME"];
      process.env["HOME"] = join(directory, "home");
      process.env["GIT_CONFIG_COUNT"] = "1";
      process.env["GIT_CONFIG_KEY_0"] = "core.bare";
      process.env["GIT_CONFIG_VALUE_0"] = "not a boolean";
      try {
        await textOf(tools, "list_branches");
      } finally {
        if (home !== undefined) process.env["HOME"] = home;
        for (const key of ["COUNT", "KEY_0", "VALUE_0"])
          Reflect.deleteProperty(process.env, `GIT_CONFIG_${key}`);
      }
    });
  });

  describe("reading", () => {
    it("shows a file with its sha, and a folder with the shas of its files", async () => {
      const { content, sha } = await file(CONFIG);
      assert.equal(content, git("show", `main:${CONFIG}`));
      const entries = await json("get_file_contents", { path: "apps/shop/checkout/" });
      assert.deepEqual(
        entries.find(({ path }) => path === CONFIG),
        { path: CONFIG, type: "file", size: Buffer.byteLength(content), sha },
      );
      const root = await json("get_file_contents");
      assert.deepEqual(
        root.map(({ path, type }) => `${String(path)} ${String(type)}`),
        ["README.md file", "apps dir", "clusters dir"],
      );
    });

    it("suggests the path that was meant", async () => {
      const text = await failureOf(tools, "get_file_contents", {
        path: "apps/shop/chekout/config.yaml",
      });
      assert.equal(
        text,
        `there is no file or folder apps/shop/chekout/config.yaml; there is ${CONFIG}`,
      );
    });

    it("names the branches when one is not there", async () => {
      const text = await failureOf(tools, "get_file_contents", { path: CONFIG, ref: "nowhere" });
      assert.match(text, /there is no branch or commit nowhere; branches: .*main/);
    });

    for (const path of [
      "../x",
      "a/../../b",
      "/etc/passwd",
      ".git/config",
      "a/.GIT/hooks",
      "a//b",
      "a\\b",
      "a\nb",
      "-x\0",
      `${"a/".repeat(200)}b`,
    ])
      it(`refuses the path ${JSON.stringify(path).slice(0, 30)}`, async () => {
        for (const [name, args] of [
          ["get_file_contents", { path }],
          ["create_or_update_file", { path, content: "x", message: "m", branch: "agent/x" }],
          ["push_files", { files: [{ path, content: "x" }], message: "m", branch: "agent/x" }],
        ] as const)
          assert.match(
            await failureOf(tools, name, args),
            /^invalid arguments: (files\.0\.)?path: /,
          );
      });

    for (const ref of [
      "--all",
      "-x",
      "a..b",
      "HEAD@{1}",
      "a b",
      "main^{/x}",
      ":/x",
      "refs//x",
      "a.lock",
    ])
      it(`refuses the ref ${JSON.stringify(ref)}`, async () => {
        assert.match(
          await failureOf(tools, "get_file_contents", { ref }),
          /^invalid arguments: ref: /,
        );
        assert.match(
          await failureOf(tools, "list_commits", { sha: ref }),
          /^invalid arguments: sha: /,
        );
      });

    it("takes a path that begins with a dash for a path", async () => {
      const text = await failureOf(tools, "get_file_contents", { path: "--output=x" });
      assert.match(text, /there is no file or folder --output=x/);
    });

    it("refuses other repositories and takes its own name in any case", async () => {
      const args = { owner: "Demo", repo: "Platform-GitOps" };
      await textOf(tools, "list_branches", args);
      const text = await failureOf(tools, "list_branches", { ...args, repo: "other" });
      assert.equal(text, "there is no repository Demo/other; there is demo/platform-gitops");
    });

    it("pages commits and finds those of a path", async () => {
      const all = await json("list_commits");
      const [second] = await json("list_commits", { page: 2, perPage: "1" });
      assert.deepEqual(second, all[1]);
      assert.deepEqual(await json("list_commits", { path: "nowhere" }), []);
    });

    it("shows a commit with its files and diff, the first one too", async () => {
      const [first] = (await json("list_commits")).slice(-1);
      const text = await textOf(tools, "get_commit", { sha: String(first?.["sha"]) });
      assert.match(text, /"path":"README\.md","status":"added","additions":8,"deletions":0/);
      assert.match(text, /^\+# platform-gitops$/m);
    });

    it("finds code by all words, in content and paths, with qualifiers", async () => {
      const search = async (query: string) => {
        const text = await textOf(tools, "search_code", { query });
        const { items } = JSON.parse(text) as {
          readonly items: readonly { readonly path: string }[];
        };
        return items.map(({ path }) => path);
      };
      assert.deepEqual(await search("checkout replicas"), ["apps/shop/checkout/deployment.yaml"]);
      assert.ok(
        (await search("payment-gateway deployment")).includes(
          "apps/payments/payment-gateway/deployment.yaml",
        ),
      );
      assert.deepEqual(await search('"memory: 48Gi" path:apps/platform'), [
        "apps/platform/analytics-batch/helmrelease.yaml",
      ]);
      assert.deepEqual(await search("checkout filename:service extension:yaml"), [
        "apps/shop/checkout/service.yaml",
      ]);
      assert.deepEqual(await search("checkout extension:ts"), []);
      assert.deepEqual(await search("repo:demo/platform-gitops no-such-word"), []);
      assert.deepEqual(await search("-e --help"), []);
    });
  });

  describe("writing", () => {
    it("commits a change of a file that was read, to a branch of agents only", async () => {
      const name = await branch();
      const { content, sha } = await file(CONFIG);
      const changed = `${content}  PAYMENTS_API_URL: https://pay\n`;
      const args = {
        path: CONFIG,
        content: changed,
        message: "restore the address",
        branch: name,
        sha,
      };
      const { text } = await callTool(tools, "create_or_update_file", args, {
        user: "ada <x@y>\n",
      });
      assert.match(
        text,
        /^committed apps\/shop\/checkout\/config\.yaml to agent\/change-\d+ as [0-9a-f]{40}$/,
      );
      assert.equal((await file(CONFIG, name)).content, changed);
      assert.equal((await file(CONFIG)).content, content);
      assert.equal(
        git("log", "-1", "--format=%an|%ae|%aI|%B", name).trim(),
        "kagent|kagent@localhost|2026-01-01T00:00:00+00:00|restore the address\n\nRequested-by: ada__x@y__",
      );
    });

    for (const target of [
      "main",
      "release",
      "agents/x",
      "Agent/x",
      "agent",
      "refs/heads/agent/x",
      "agent/../main",
      "agent/x.lock",
      "agent/",
    ])
      it(`refuses to write to ${target}`, async () => {
        for (const [tool, args] of [
          ["create_branch", { branch: target }],
          ["create_or_update_file", { path: "a", content: "b", message: "m", branch: target }],
          ["push_files", { files: [{ path: "a", content: "b" }], message: "m", branch: target }],
          ["create_pull_request", { title: "t", head: target }],
        ] as const)
          assert.match(await failureOf(tools, tool, args), /^invalid arguments: (branch|head): /);
      });

    it("never replaces a file that was not read, or has changed since", async () => {
      const name = await branch();
      const args = { path: CONFIG, content: "x", message: "m", branch: name };
      assert.match(await failureOf(tools, "create_or_update_file", args), /exists: give its sha/);
      const stale = { ...args, sha: "0".repeat(40) };
      assert.match(
        await failureOf(tools, "create_or_update_file", stale),
        /has changed since it was read: its sha is/,
      );
      const absent = { ...stale, path: "new.yaml" };
      assert.match(
        await failureOf(tools, "create_or_update_file", absent),
        /does not exist on the branch/,
      );
      const folder = { ...args, path: "apps/shop" };
      assert.match(
        await failureOf(tools, "create_or_update_file", folder),
        /apps\/shop is a folder/,
      );
    });

    it("commits several files at once, all or none", async () => {
      const name = await branch();
      const files = [
        { path: "notes/ä b.txt", content: "grüße\n" },
        { path: "notes/two.txt", content: "" },
      ];
      await textOf(tools, "push_files", { branch: name, files, message: "notes" });
      assert.equal(
        git("-c", "core.quotePath=false", "diff", "--name-only", `main...${name}`),
        "notes/two.txt\nnotes/ä b.txt\n",
      );
      assert.equal((await file("notes/ä b.txt", name)).content, "grüße\n");
      const clash = [
        { path: "good.txt", content: "x" },
        { path: "README.md/x", content: "y" },
      ];
      assert.match(
        await failureOf(tools, "push_files", { branch: name, files: clash, message: "m" }),
        /README\.md would be a file and a folder at once/,
      );
      const twice = [
        { path: "a", content: "x" },
        { path: "a", content: "y" },
      ];
      assert.match(
        await failureOf(tools, "push_files", { branch: name, files: twice, message: "m" }),
        /a is there twice/,
      );
      assert.equal(git("ls-tree", "--name-only", name).includes("good.txt"), false);
    });

    it("says that nothing changes", async () => {
      const name = await branch();
      const { content, sha } = await file(CONFIG);
      const args = { path: CONFIG, content, message: "m", branch: name, sha };
      assert.match(await failureOf(tools, "create_or_update_file", args), /nothing changes/);
    });

    it("says that a branch is missing or exists already", async () => {
      const name = await branch();
      assert.match(
        await failureOf(tools, "create_branch", { branch: name }),
        /cannot be created: it exists/,
      );
      assert.match(
        await failureOf(tools, "create_branch", { branch: `${name}/deeper` }),
        /of which it would be a part/,
      );
      const args = { path: "a", content: "b", message: "m", branch: "agent/none" };
      assert.match(
        await failureOf(tools, "create_or_update_file", args),
        /there is no branch agent\/none; create_branch/,
      );
    });

    it("keeps every one of many commits made at the same time", async () => {
      const name = await branch();
      const paths = Array.from({ length: 6 }, (_, index) => `many/${index}.txt`);
      await Promise.all(
        paths.map(async (path) =>
          textOf(tools, "push_files", {
            branch: name,
            files: [{ path, content: path }],
            message: path,
          }),
        ),
      );
      const found = git("ls-tree", "-r", "--name-only", name, "many/").trim().split("\n");
      assert.deepEqual(found, paths);
    }).timeout(20_000);

    it("leaves no temporary file behind", async () => {
      const names = await readdir(join(directory, "main", "repository.git"));
      assert.deepEqual(
        names.filter((each) => each.startsWith("index")),
        [],
      );
    });
  });

  describe("pull requests", () => {
    it("are opened as drafts whatever is asked, listed, shown with their diff, and kept", async () => {
      const name = await branch();
      await textOf(tools, "push_files", {
        branch: name,
        files: [{ path: "pull.txt", content: "one\ntwo\n" }],
        message: "m",
      });
      const { text } = await callTool(
        tools,
        "create_pull_request",
        { title: "Add a file", body: "because", head: name, draft: false },
        { user: "ada" },
      );
      const number = Number(
        /^draft pull request (\d+) is open in the local repository/.exec(text)?.[1],
      );
      const again = openTools(join(directory, "main"));
      const [first] = JSON.parse(await textOf(again, "list_pull_requests")) as Record<
        string,
        unknown
      >[];
      assert.deepEqual(
        {
          number: first?.["number"],
          draft: first?.["draft"],
          head: first?.["head"],
          user: first?.["user"],
          merged: first?.["merged"],
        },
        { number, draft: true, head: name, user: "ada", merged: false },
      );
      assert.match(
        await textOf(tools, "get_pull_request", { pullNumber: String(number) }),
        /"changed_files":1,"additions":2,"deletions":0/,
      );
      const files = await textOf(tools, "get_pull_request_files", { pullNumber: number });
      assert.match(
        files,
        /"path":"pull\.txt","status":"added","additions":2,"deletions":0[\s\S]*\+two/,
      );
      assert.match(
        await failureOf(tools, "create_pull_request", { title: "t", head: name }),
        new RegExp(`pull request ${number} is open for ${name} already`),
      );
    });

    it("show what the branch has become since they were opened", async () => {
      const name = await branch();
      await textOf(tools, "push_files", {
        branch: name,
        files: [{ path: "a.txt", content: "a\n" }],
        message: "m",
      });
      const text = await textOf(tools, "create_pull_request", { title: "t", head: name });
      const pullNumber = Number(/pull request (\d+)/.exec(text)?.[1]);
      await textOf(tools, "push_files", {
        branch: name,
        files: [{ path: "b.txt", content: "b\n" }],
        message: "m",
      });
      assert.match(await textOf(tools, "get_pull_request", { pullNumber }), /"changed_files":2/);
    });

    it("need commits and a base that exist", async () => {
      const name = await branch();
      assert.match(
        await failureOf(tools, "create_pull_request", { title: "t", head: name }),
        /has no commits that main lacks/,
      );
      assert.match(
        await failureOf(tools, "create_pull_request", { title: "t", head: "agent/none" }),
        /there is no branch agent\/none/,
      );
      assert.match(
        await failureOf(tools, "create_pull_request", { title: "t", head: name, base: "none" }),
        /there is no branch none/,
      );
    });

    it("of the past are merged ones that tell what they changed", async () => {
      const merged = await json("list_pull_requests", { state: "closed" });
      assert.deepEqual(
        merged.map(({ number }) => number),
        [46, 45, 44, 41],
      );
      assert.match(
        await textOf(tools, "get_pull_request_files", { pullNumber: 46 }),
        /\+ +image: payments\/invoice-worker:1\.9\.0-rc7/,
      );
    });

    it("that do not exist, and issues, are told apart", async () => {
      assert.match(
        await failureOf(tools, "get_pull_request", { pullNumber: 9999 }),
        /there is no pull request 9999/,
      );
      assert.match(
        await failureOf(tools, "get_pull_request", { pullNumber: 43 }),
        /there is no pull request 43/,
      );
      assert.match(
        await failureOf(tools, "get_pull_request", { pullNumber: 0 }),
        /invalid arguments: pullNumber/,
      );
    });
  });

  describe("issues", () => {
    const incident = {
      title: "[INCIDENT] critical: PodCrashLooping in shop/services-amer",
      body: "checkout crashes",
      labels: ["incident"],
    };

    it("are filed, found by label, state and words, and commented", async () => {
      const { text } = await callTool(tools, "create_issue", incident, { user: "ada" });
      const number = Number(/^issue (\d+) filed/.exec(text)?.[1]);
      const search = async (query: string) => {
        const { items } = JSON.parse(await textOf(tools, "search_issues", { query })) as {
          readonly items: readonly { readonly number: number }[];
        };
        return items.map((each) => each.number);
      };
      assert.deepEqual(await search("is:open label:incident podcrashlooping shop"), [number]);
      assert.deepEqual(await search('label:incident "PodCrashLooping in shop"'), [number]);
      assert.deepEqual(await search("is:closed label:incident"), []);
      assert.deepEqual(await search("label:enhancement repo:demo/platform-gitops in:title"), [43]);
      assert.deepEqual((await search("is:pr is:closed")).slice(0, 2), [46, 45]);
      assert.deepEqual(await search("no-such-words"), []);
      const comment = await textOf(tools, "add_issue_comment", {
        issue_number: number,
        body: "still so",
      });
      assert.equal(comment, `comment 1 added to issue ${number}`);
      const [record] = JSON.parse(
        `[${await readFile(join(directory, "main", "records", `${number}.json`), "utf8")}]`,
      ) as { readonly comments: readonly unknown[] }[];
      assert.equal(record?.comments.length, 1);
    });

    it("get numbers of their own, however many are filed at once", async () => {
      const texts = await Promise.all(
        Array.from({ length: 5 }, async (_, index) =>
          textOf(tools, "create_issue", { title: `many ${index}` }),
        ),
      );
      const numbers = texts.map((text) => /^issue (\d+)/.exec(text)?.[1]);
      assert.equal(new Set(numbers).size, 5);
    });

    it("say which record is damaged", async () => {
      const path = join(directory, "damaged");
      const other = openTools(path);
      await textOf(other, "list_branches");
      await writeFile(join(path, "records", "50.json"), "{");
      assert.match(
        await failureOf(other, "search_issues", { query: "" }),
        /the record in .*50\.json is damaged/,
      );
    });

    it("cannot be commented when they do not exist", async () => {
      assert.match(
        await failureOf(tools, "add_issue_comment", { issue_number: 9999, body: "x" }),
        /there is no issue 9999/,
      );
    });
  });

  it("passes the caller's abort on", async () => {
    const gone = AbortSignal.abort(new Error("gone"));
    await assert.rejects(callTool(tools, "list_branches", {}, { signal: gone }), /^Error: gone$/);
  });
});
