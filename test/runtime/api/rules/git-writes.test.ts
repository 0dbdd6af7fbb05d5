import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import {
  FORBIDDEN_GIT_TOOLS,
  gitWriteViolation,
  isAgentBranch,
  isRepositoryPath,
} from "../../../../runtime/api/rules/git-writes.ts";

const file = { path: "apps/a.yaml", content: "x", branch: "agent/x" };
const files = (...paths: readonly unknown[]) => ({
  branch: "agent/x",
  files: paths.map((path) => ({ path, content: "" })),
});
const pull = { head: "agent/x", base: "main", draft: true };

describe("runtime/api/rules/git-writes", () => {
  const CASES: readonly (readonly [string, Record<string, unknown>, string | undefined])[] = [
    ["create_branch", { branch: "agent/x" }, undefined],
    ["github_create_branch", { branch: "agent/raise-limit_2.0" }, undefined],
    ["github_create_branch", { branch: "main" }, "branch"],
    ["github_create_branch", { branch: "Agent/x" }, "branch"],
    ["github_create_branch", { branch: "agent" }, "branch"],
    ["github_create_branch", { branch: "agent/" }, "branch"],
    ["github_create_branch", { branch: "agents/x" }, "branch"],
    ["github_create_branch", { branch: "refs/heads/agent/x" }, "branch"],
    ["github_create_branch", { branch: "agent/../main" }, "branch"],
    ["github_create_branch", { branch: "agent/x\nmain" }, "branch"],
    ["github_create_branch", { branch: "agent/x.lock" }, "branch"],
    ["github_create_branch", { branch: "someone:agent/x" }, "branch"],
    ["github_create_branch", { branch: "аgent/x" }, "branch"],
    ["github_create_branch", { branch: ["agent/x"] }, "branch"],
    ["github_create_branch", {}, "branch"],
    [
      "github_create_branch",
      Object.create({ branch: "agent/x" }) as Record<string, unknown>,
      "branch",
    ],
    ["createBranch", { branch: "main" }, "branch"],
    ["create-branch", { branch: "main" }, "branch"],
    ["hub_createBranch", { owner: "o", branch: "main" }, "branch"],
    ["neon_create_branch", { projectId: "p", branchName: "main" }, undefined],
    ["create_or_update_file", file, undefined],
    ["create_or_update_file", { path: "a", content: "x" }, "branch"],
    ["create_or_update_file", { ...file, path: "../a" }, "path"],
    ["create_or_update_file", { ...file, path: "/etc/passwd" }, "path"],
    ["create_or_update_file", { ...file, path: "a\\..\\b" }, "path"],
    ["create_or_update_file", { ...file, path: ".git/config" }, "path"],
    ["create_or_update_file", { ...file, path: "a/.GIT /hooks" }, "path"],
    ["create_or_update_file", { ...file, path: "a/.g\u200cit/x" }, "path"],
    ["create_or_update_file", { ...file, path: "a/%2e%2e/b" }, "path"],
    ["create_or_update_file", { ...file, path: "a/%252E%252E/b" }, "path"],
    ["create_or_update_file", { ...file, path: "a//b" }, "path"],
    ["create_or_update_file", { ...file, path: "" }, "path"],
    ["create_or_update_file", { ...file, path: 7 }, "path"],
    ["push_files", files("a", "b/c"), undefined],
    ["push_files", files("a", "b/../../c"), "path"],
    ["push_files", files("a", undefined), "path"],
    ["push_files", files(), "path"],
    ["push_files", { branch: "agent/x", files: "a" }, "path"],
    ["push_files", { branch: "agent/x", files: [null] }, "path"],
    ["push_files", { branch: "main", files: [] }, "branch"],
    ["delete_file", { owner: "o", repo: "r", path: "a", branch: "main" }, "branch"],
    ["github_delete_file", { path: "a", branch: "agent/x" }, undefined],
    ["sandbox_delete_file", { path: "a" }, undefined],
    ["create_pull_request", pull, undefined],
    ["create_pull_request", { ...pull, draft: false }, "draft"],
    ["create_pull_request", { ...pull, draft: "true" }, "draft"],
    ["create_pull_request", { head: "agent/x", base: "main" }, "draft"],
    ["create_pull_request", { ...pull, head: "release" }, "branch"],
    ["github_update_pull_request", { pullNumber: 1, title: "x" }, undefined],
    ["github_update_pull_request", { pullNumber: 1, draft: false }, "draft"],
    ["github_merge_pull_request", { pullNumber: 1 }, "never"],
    ["mergePullRequest", {}, "never"],
    ["my-hub_delete_repository", {}, "never"],
    ["github_pull_request_review_write", { event: "APPROVE" }, "never"],
    ["github_update_pull_request_branch", { pullNumber: 1 }, "never"],
    ["github_fork_repository", {}, "unknown-tool"],
    ["github_actions_run_trigger", {}, "unknown-tool"],
    ["github_frobnicate", {}, "unknown-tool"],
    ["github_create_issue", { title: "x" }, undefined],
    ["github_add_issue_comment", {}, undefined],
    ["github_get_file_contents", { path: "../x" }, undefined],
    ["github_list_branches", {}, undefined],
    ["k8s-tools-dev_k8s_apply_manifest", { branch: "main" }, undefined],
    ["deploy", { branch: "main" }, undefined],
  ];
  for (const [name, args, rule] of CASES)
    it(`${rule === undefined ? "admits" : `refuses (${rule})`} ${name} ${JSON.stringify(args)}`, () => {
      const violation = gitWriteViolation(name, args);
      assert.equal(violation?.rule, rule);
      if (violation !== undefined) assert.match(violation.message, /: |leave it/);
    });

  it("says which tools are never for agents", () => {
    assert.ok(FORBIDDEN_GIT_TOOLS.includes("merge_pull_request"));
    assert.ok(!FORBIDDEN_GIT_TOOLS.includes("create_branch"));
  });

  it("admits no branch but agents' and no path that leaves the repository, whatever they hold", () => {
    const piece = fc.oneof(
      fc.constantFrom("agent", "main", "..", ".", ".git", "/", "\\", "%2e", "a", "%", " "),
      fc.string({ unit: "grapheme", maxLength: 3 }),
    );
    const text = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(""));
    fc.assert(
      fc.property(text, (name) => {
        if (isAgentBranch(name)) assert.match(name, /^agent\/(?!.*\.\.)[A-Za-z0-9._/-]+$/);
        if (!isRepositoryPath(name)) return;
        const url = new URL(`http://x/root/${name}`);
        assert.ok(url.pathname.startsWith("/root/"), name);
        assert.ok(!name.split("/").includes(".."));
      }),
      { numRuns: 2_000 },
    );
  });
});
