import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { describeError } from "../../../runtime/mcp/describe-error.ts";

describe("runtime/mcp/describeError", () => {
  const secrets = [
    "password=hunter2",
    'the "api_key": "hunter2" is wrong',
    "Authorization: Bearer hunter2",
    "bearer hunter2 was refused",
    "GITHUB_TOKEN=hunter2;",
    "connect to https://bot:hunter2@git.example/x",
    "client-secret : hunter2",
  ];
  for (const message of secrets) {
    it(`masks what ${message.split(/[ =:]/)[0] ?? ""} introduces in "${message.slice(0, 12)}..."`, () => {
      assert.doesNotMatch(describeError(new Error(message)), /hunter2/);
    });
  }

  it("keeps what an operator needs: kind, code, message", () => {
    const error = Object.assign(new TypeError("fetch failed"), { code: "ECONNREFUSED" });
    assert.equal(describeError(error), "TypeError ECONNREFUSED: fetch failed");
    assert.equal(describeError("text"), "string");
  });

  it("is short and quick whatever the message", () => {
    const start = performance.now();
    for (const pattern of ["token ", "a", "password", "://", "\"'  :"]) {
      assert.ok(describeError(new Error(pattern.repeat(200_000))).length < 400);
    }
    assert.ok(performance.now() - start < 500);
  });
});
