import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { type AccessRules, refusedAccess } from "../../../runtime/process/access.ts";

describe("runtime/process/access", () => {
  const local: AccessRules = { hosts: ["127.0.0.1", "localhost"] };
  const rows: readonly (readonly [
    string,
    AccessRules,
    Record<string, string>,
    RegExp | undefined,
  ])[] = [
    ["a program at a served host", local, { host: "127.0.0.1:8083" }, undefined],
    ["a rebound name", local, { host: "evil.example:8083" }, /Host/],
    ["no host", local, {}, /Host/],
    [
      "a page of a served host",
      local,
      { host: "localhost", origin: "http://localhost:3000" },
      undefined,
    ],
    ["a foreign page", local, { host: "localhost", origin: "https://evil.example" }, /Origin/],
    ["a sandboxed page", local, { host: "localhost", origin: "null" }, /Origin/],
    ["any host without rules", {}, { host: "kagent.example" }, undefined],
    [
      "a page of that very host",
      {},
      { host: "kagent.example", origin: "https://kagent.example" },
      undefined,
    ],
    [
      "a page of another host",
      {},
      { host: "kagent.example", origin: "https://evil.example" },
      /Origin/,
    ],
    ["a page of another port", {}, { host: "a:8083", origin: "http://a:8080" }, /Origin/],
    [
      "a configured origin",
      { origins: ["https://ui"] },
      { host: "api", origin: "https://ui" },
      undefined,
    ],
    [
      "an origin that is not configured",
      { origins: ["https://ui"] },
      { host: "api", origin: "https://api" },
      /Origin/,
    ],
  ];
  for (const [what, rules, headers, says] of rows)
    it(`${says === undefined ? "serves" : "refuses"} ${what}`, () => {
      const refused = refusedAccess(new Headers(headers), rules);
      if (says === undefined) assert.equal(refused, undefined);
      else assert.match(refused ?? "", says);
    });
});
