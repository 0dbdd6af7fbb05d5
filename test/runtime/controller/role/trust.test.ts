import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { refKey } from "../../../../runtime/api/names.ts";
import { isBelieved, isTrusted, runs } from "../../../../runtime/controller/role/trust.ts";
import { serviceNamed } from "../../../../runtime/process/auth/identity.ts";
import { parsedAgent } from "../kagent-objects.ts";
import { ownAgent } from "../proxy/proxy-fixture.ts";

describe("runtime/controller/role/trust", () => {
  const accounts = ownAgent("named", {
    object: parsedAgent("named", { deployment: { serviceAccountName: "shared" } }),
  });
  const pooled = ownAgent("pooled", { object: parsedAgent("pooled", {}, { workers: "pooled" }) });
  const entries = new Map([ownAgent("one"), accounts, pooled].map((e) => [refKey(e.ref), e]));
  const rules = {
    directory: {
      agent: (ref: Parameters<typeof refKey>[0]) => entries.get(refKey(ref)),
      agents: () => [...entries.values()],
    },
    services: ["kagent/ui", "edge/*"],
    controller: "kagent/kagent-controller",
    isPooled: ({ spec }: { readonly spec: { readonly workers?: string | undefined } }) =>
      spec.workers === "pooled",
  };
  const service = (name: string) =>
    serviceNamed(`system:serviceaccount:${name.replace("/", ":")}`)!;

  const rows: readonly (readonly [string, boolean, boolean])[] = [
    ["kagent/ui", true, false],
    ["edge/traefik", true, false],
    ["kagent/kagent-controller", true, true],
    ["kagent/one", true, true],
    ["kagent/shared", true, true],
    ["kagent/kagent-workers", true, true],
    ["kagent/named", false, false],
    ["kagent/other", false, false],
    ["other/one", false, false],
  ];
  for (const [name, trusted, believed] of rows)
    it(`${trusted ? "lets" : "does not let"} ${name} speak for users${believed ? " and conversations" : ""}`, () => {
      assert.equal(isTrusted(service(name), rules), trusted);
      assert.equal(isBelieved(service(name), rules), believed);
    });

  it("knows which service runs which agent", () => {
    const one = { namespace: "kagent", name: "one" };
    assert.equal(runs(service("kagent/one"), one, rules), true);
    assert.equal(runs(service("kagent/shared"), one, rules), false);
    assert.equal(runs(service("kagent/shared"), { ...one, name: "named" }, rules), true);
    assert.equal(runs(service("kagent/kagent-workers"), { ...one, name: "pooled" }, rules), true);
    assert.equal(runs(service("kagent/one"), { ...one, name: "gone" }, rules), false);
  });
});
