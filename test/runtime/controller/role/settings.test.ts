import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { controllerSettings, SettingsError } from "../../../../runtime/controller/role/settings.ts";

describe("runtime/controller/role/settings", () => {
  it("has kagent's defaults, and trusted-proxy", () => {
    const settings = controllerSettings({});
    assert.deepEqual(settings.http, { host: "0.0.0.0", port: 8083 });
    assert.deepEqual(settings.mcp, { host: "0.0.0.0", port: 8084 });
    assert.deepEqual(settings.health, { host: "0.0.0.0", port: 8082 });
    assert.equal(settings.metrics, undefined);
    assert.equal(settings.namespace, "kagent");
    assert.equal(settings.watched, "all");
    assert.deepEqual(settings.auth, { mode: "trusted-proxy" });
    assert.deepEqual(settings.trustedServices, ["kagent/*"]);
    assert.deepEqual(settings.store, { path: "/data/kagent.db" });
    assert.equal(settings.agentsUrl, "http://kagent-controller.kagent:8083/api/a2a/");
    assert.equal(settings.a2aTimeoutMs, 0);
    assert.equal(settings.toolRefreshMs, 60_000);
    assert.equal(settings.leaderElect, false);
  });

  it("reads what is set", () => {
    const settings = controllerSettings({
      HTTP_SERVER_ADDRESS: "[::1]:9000",
      HEALTH_PROBE_BIND_ADDRESS: "0",
      METRICS_BIND_ADDRESS: ":8443",
      A2A_BASE_URL: "https://kagent.example/",
      AGENT_GATEWAY_URL: "http://gateway:8080/",
      WATCH_NAMESPACES: "kagent, team",
      POSTGRES_DATABASE_URL: "postgres://u:p@db/kagent",
      TOOL_REFRESH_INTERVAL: "90s",
      KAGENT_A2A_CLIENT_TIMEOUT: "30",
      KAGENT_MCP_STATELESS: "true",
      LEADER_ELECT: "false",
      SESSION_RETENTION_DAYS: "30",
      RATE_LIMIT_PER_SECOND: "0",
      AUTH_TRUSTED_SERVICES: "edge/traefik",
      DEFAULT_AGENT_POD_LABELS: "team=a, tier=gold",
      DEFAULT_SERVICE_ACCOUNT_NAME: "agents",
      OTEL_SERVICE_NAME: "x",
      KAGENT_SOMETHING_PORT: "tcp://10.0.0.1:80",
    });
    assert.deepEqual(settings.http, { host: "::1", port: 9_000 });
    assert.equal(settings.health, undefined);
    assert.deepEqual(settings.metrics, { host: "0.0.0.0", port: 8_443 });
    assert.equal(settings.a2aBaseUrl, "https://kagent.example");
    assert.equal(settings.agentsUrl, "http://gateway:8080/agents/");
    assert.deepEqual(settings.watched, ["kagent", "team"]);
    assert.deepEqual(settings.store, { url: "postgres://u:p@db/kagent" });
    assert.equal(settings.toolRefreshMs, 90_000);
    assert.equal(settings.a2aTimeoutMs, 30_000);
    assert.equal(settings.mcpSessions, "stateless");
    assert.equal(settings.leaderElect, false);
    assert.equal(settings.retentionDays, 30);
    assert.equal(settings.rate, undefined);
    assert.deepEqual(settings.trustedServices, ["kagent/*", "edge/traefik"]);
    assert.deepEqual(settings.workloads.settings.podLabels, { team: "a", tier: "gold" });
    assert.equal(settings.workloads.settings.serviceAccountName, "agents");
    assert.deepEqual(settings.workloads.settings.telemetry, { OTEL_SERVICE_NAME: "x" });
  });

  it("names everything that is wrong at once, and none of the values", () => {
    const broken = {
      HTTP_SERVER_ADDRESS: "0",
      MCP_SERVER_ADDRESS: "host:99999",
      LEADER_ELECT: "perhaps",
      SESSION_RETENTION_DAYS: "-1",
      A2A_BASE_URL: "ftp://secret-value",
      AUTH_TRUSTED_SERVICES: "traefik",
      TOOL_REFRESH_INTERVAL: "soon",
      KAGENT_WORKERS: "many",
    };
    assert.throws(
      () => controllerSettings(broken),
      (error: unknown) => {
        assert.ok(error instanceof SettingsError);
        for (const name of Object.keys(broken)) assert.match(error.message, new RegExp(name));
        assert.doesNotMatch(error.message, /secret-value|perhaps/);
        return true;
      },
    );
  });

  it("wants keys and issuer for jwt", () => {
    const jwt = { AUTH_MODE: "jwt" };
    assert.throws(() => controllerSettings(jwt), /AUTH_JWT_ISSUER, and AUTH_JWKS_URL/);
    const { auth } = controllerSettings({
      ...jwt,
      AUTH_JWT_ISSUER: "https://id",
      AUTH_JWKS_URL: "https://id/keys",
      AUTH_USER_ID_CLAIM: "email",
    });
    assert.equal(auth.mode === "jwt" ? auth.userClaim : auth.mode, "email");
  });

  it("serves other machines without authentication by an explicit flag only", () => {
    const unsecure = { AUTH_MODE: "unsecure" };
    const { auth } = controllerSettings(unsecure);
    assert.equal(auth.mode === "unsecure" ? auth.from : "", "loopback");
    const open = controllerSettings({ ...unsecure, AUTH_UNSECURE_REMOTE: "true" }).auth;
    assert.equal(open.mode === "unsecure" ? open.from : "", "anywhere");
  });
});
