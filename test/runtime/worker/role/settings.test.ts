import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { SettingsError, workerSettings } from "../../../../runtime/worker/role/settings.ts";

const ENV = { KAGENT_URL: "http://kagent-controller.kagent:8083" };

describe("runtime/worker/role/settings", () => {
  it("takes kagent's arguments", () => {
    const args = ["--host", "0.0.0.0", "--port", "8080", "--filepath", "/config"];
    const settings = workerSettings(args, { ...ENV, KAGENT_NAMESPACE: "team", KAGENT_NAME: "a" });
    assert.deepEqual(settings, {
      host: "0.0.0.0",
      port: 8080,
      folders: ["/config"],
      namespace: "team",
      name: "a",
      controllerUrl: ENV.KAGENT_URL,
      trustedCallers: ["system:serviceaccount:kagent:kagent-controller"],
      tokenPath: "/var/run/secrets/tokens/kagent-token",
      logLevel: "info",
      drainMs: 25_000,
    });
  });

  it("takes PORT and CONFIG_DIR where there are no arguments", () => {
    const settings = workerSettings([], { ...ENV, PORT: "9000", CONFIG_DIR: "/a, /b" });
    assert.equal(settings.port, 9000);
    assert.deepEqual(settings.folders, ["/a", "/b"]);
    const given = workerSettings(["--port", "1", "--filepath", "/c", "--filepath", "/d"], {
      ...ENV,
      PORT: "9000",
      CONFIG_DIR: "/a",
    });
    assert.equal(given.port, 1);
    assert.deepEqual(given.folders, ["/c", "/d"]);
  });

  it("trusts the controller that the address names, or those that are listed", () => {
    const trusted = (env: object) => workerSettings([], { ...ENV, ...env }).trustedCallers;
    assert.deepEqual(trusted({ KAGENT_URL: "http://front.platform.svc:8083" }), [
      "system:serviceaccount:platform:front",
    ]);
    assert.deepEqual(trusted({ KAGENT_URL: "http://127.0.0.1:8083", KAGENT_NAMESPACE: "x" }), [
      "system:serviceaccount:x:kagent-controller",
    ]);
    assert.deepEqual(trusted({ KAGENT_TRUSTED_CALLERS: "kagent:a, gw:b" }), [
      "system:serviceaccount:kagent:a",
      "system:serviceaccount:gw:b",
    ]);
  });

  const wrong: readonly (readonly [string, readonly string[], Record<string, string>, RegExp])[] = [
    ["no controller", [], {}, /KAGENT_URL/],
    ["two things at once", [], { KAGENT_URL: "x", PORT: "y" }, /KAGENT_URL.*PORT|PORT.*KAGENT_URL/],
    ["a port that is none", ["--port", "70000"], ENV, /65535/],
    ["an unknown argument", ["--verbose"], ENV, /--verbose[\s\S]*usage: worker/],
    ["an account without its namespace", [], { ...ENV, KAGENT_TRUSTED_CALLERS: "a" }, /NAMESPACE/],
    ["an unknown way to authenticate", [], { ...ENV, KAGENT_WORKER_AUTH: "none" }, /WORKER_AUTH/],
  ];
  for (const [what, args, env, message] of wrong) {
    it(`refuses ${what}`, () => {
      assert.throws(
        () => workerSettings(args, env),
        (error) => error instanceof SettingsError && message.test(error.message),
      );
    });
  }
});
