import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { accessPolicy, mayCall } from "../../../runtime/api/access.ts";

const users = "kagent.dev/allowed-users";
const groups = "kagent.dev/allowed-groups";

describe("runtime/api/access", () => {
  const rows: readonly (readonly [string, Record<string, string> | undefined, boolean])[] = [
    ["no annotations", undefined, true],
    ["other annotations", { team: "a" }, true],
    ["its name", { [users]: "ben, ana" }, true],
    ["other names", { [users]: "ben,anabel" }, false],
    ["one of its groups", { [groups]: "sre,dev" }, true],
    ["other groups", { [groups]: "sre" }, false],
    ["its name and other groups", { [users]: "ana", [groups]: "sre" }, true],
    ["other names and one of its groups", { [users]: "ben", [groups]: "dev" }, true],
    ["a list of nobody", { [users]: "" }, false],
    ["a list of nobody beside its group", { [users]: " ", [groups]: "dev" }, true],
  ];
  for (const [what, annotations, expected] of rows)
    it(`${expected ? "admits" : "refuses"} a caller where there is ${what}`, () => {
      const policy = accessPolicy(annotations);
      assert.equal(mayCall(policy, { user: "ana", groups: ["dev", ""] }), expected);
    });

  it("takes no empty name for the nobody of an empty list", () => {
    assert.equal(mayCall(accessPolicy({ [users]: "" }), { user: "", groups: [""] }), false);
    assert.equal(mayCall(accessPolicy({ [groups]: "" }), { user: "ana", groups: [""] }), false);
  });
});
