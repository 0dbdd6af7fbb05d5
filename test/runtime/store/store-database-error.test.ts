import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { blameDatabase } from "../../../runtime/store/store-database-error.ts";

describe("runtime/store/store-database-error", () => {
  const failure = (message: string, fields: object = {}) =>
    Object.assign(new Error(message), fields);
  const server = { severity: "ERROR" };

  const blamed = {
    "connect ECONNREFUSED 127.0.0.1:1": [{ code: "ECONNREFUSED" }, "unreachable"],
    "getaddrinfo EAI_AGAIN db": [{ code: "EAI_AGAIN" }, "unreachable"],
    "Connection terminated unexpectedly": [{}, "unreachable"],
    "terminating connection due to administrator command": [
      { ...server, code: "57P01" },
      "unreachable",
    ],
    "timeout exceeded when trying to connect": [{}, "busy"],
    "Query read timeout": [{}, "busy"],
    "canceling statement due to statement timeout": [{ ...server, code: "57014" }, "busy"],
    "sorry, too many clients already": [{ ...server, code: "53300" }, "busy"],
    "password authentication failed for user": [{ ...server, code: "28P01" }, "refused"],
    "self-signed certificate": [{ code: "DEPTH_ZERO_SELF_SIGNED_CERT" }, "tls"],
    "Hostname/IP does not match certificate's altnames": [
      { code: "ERR_TLS_CERT_ALTNAME_INVALID" },
      "tls",
    ],
    "ENOENT: no such file or directory, open '/ca.pem'": [{ code: "ENOENT" }, "tls"],
    "connect ENOENT /run/.s.PGSQL.5432": [{ code: "ENOENT" }, "unreachable"],
    "could not extend file": [{ ...server, code: "53100" }, "full"],
    'extension "vector" is not available': [{ ...server, code: "0A000" }, "no-pgvector"],
  } as const;
  for (const [message, [fields, reason]] of Object.entries(blamed)) {
    it(`takes "${message}" for ${reason}`, () => {
      const cause = failure(message, fields);
      const error = blameDatabase("db:5432/kagent", cause);
      assert.ok("reason" in error && error.cause === cause);
      assert.equal(error.reason, reason);
      assert.match(error.message, /^failed to use store db:5432\/kagent: .*[;,] .*/);
    });
  }

  it("leaves what a statement itself is to blame for as it is", () => {
    for (const [message, code] of [
      ["duplicate key value violates unique constraint", "23505"],
      ["deadlock detected", "40P01"],
      ["relation does not exist: Connection terminated", "42P01"],
    ] as const) {
      const error = failure(message, { ...server, code });
      assert.equal(blameDatabase("db", error), error);
    }
  });
});
