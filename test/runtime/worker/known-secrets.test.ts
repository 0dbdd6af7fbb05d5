import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { EventBody } from "../../../runtime/api/events.ts";
import { guardedActivity, guardedEvent } from "../../../runtime/worker/guarded-result.ts";
import { knownSecrets, withoutSecrets } from "../../../runtime/worker/known-secrets.ts";
import { agentConfig } from "../../support/agent-config.ts";

const config = (headers: Readonly<Record<string, string>>, apiKey = "key-of-the-model") => {
  const { model } = agentConfig({});
  return agentConfig({ model: { ...model, apiKey, headers } });
};

describe("runtime/worker/knownSecrets", () => {
  it("are the key, headers with a telling name, and values made by chance; with and without their scheme", () => {
    const headers = {
      "x-api-key": "correct-horse",
      "x-tenant": "t7k2m9q4z1",
      "x-version": "2024-10-21",
      accept: "application/json",
      authorization: "Basic dXNlcjpwYXNz",
    };
    assert.deepEqual(
      new Set(knownSecrets(config(headers), {})),
      new Set([
        "key-of-the-model",
        "correct-horse",
        "t7k2m9q4z1",
        "Basic dXNlcjpwYXNz",
        "dXNlcjpwYXNz",
      ]),
    );
  });

  it("are credentials of the caller too, and no words of other headers", () => {
    const caller = { authorization: "Bearer of-ana-herself", "x-user-id": "ana-7f3a9c21" };
    const found = knownSecrets(config({}, "short"), caller);
    assert.deepEqual(found, ["Bearer of-ana-herself", "of-ana-herself"]);
  });

  it("are masked longest first, so that nothing of one is left beside another", () => {
    const secrets = knownSecrets(config({ "x-api-key": "abcdefgh" }, "abcdefgh-and-more"), {});
    assert.equal(withoutSecrets("abcdefgh-and-more", secrets), "[masked secret]");
  });
});

describe("runtime/worker/guardedEvent and secrets of the turn", () => {
  const secrets = ["the-known-one"];
  const said = "no the-known-one, no password=hunter2-f00d-9a7b";
  const error = { code: "MODEL_ERROR", message: said } as const;
  const call = {
    confirmationId: "r",
    callId: "c",
    kind: "approval",
    name: "write",
    args: { text: "the-known-one" },
    hint: said,
  } as const;
  const bodies: readonly EventBody[] = [
    { type: "tool-result", callId: "c", name: "t", ok: false, parts: [{ text: said }], ms: 1 },
    { type: "error", error },
    { type: "status", state: "failed", error },
    { type: "approval-requested", pending: [{ ...call, args: {} }] },
  ];
  for (const body of bodies)
    it(`masks both kinds in ${body.type}`, () => {
      const text = JSON.stringify(guardedEvent(body, secrets).body);
      assert.match(text, /no \[masked secret\], no password=\[masked credentials\.assignment\]/);
    });

  it("leaves an agent's own words alone but for its secrets, and masks those of others", () => {
    const body: EventBody = { type: "message", role: "agent", parts: [{ text: said }] };
    const own = JSON.stringify(guardedEvent(body, secrets).body);
    assert.ok(!own.includes("the-known-one") && own.includes("hunter2-f00d-9a7b"));
    const others = JSON.stringify(guardedActivity(body, secrets));
    assert.ok(!others.includes("the-known-one") && !others.includes("hunter2-f00d-9a7b"));
  });

  it("leaves arguments as they are: what is approved is what runs", () => {
    const body: EventBody = { type: "approval-requested", pending: [call] };
    const { body: told } = guardedEvent(body, secrets);
    assert.ok(told.type === "approval-requested");
    assert.deepEqual(told.pending[0]?.args, call.args);
  });
});
