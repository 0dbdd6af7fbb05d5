import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { isCredentialName, redactText, redactValue } from "../../../runtime/toolservers/redact.ts";

const CREDENTIALS = [
  "DB_PASSWORD",
  "password",
  "apiKey",
  "API_KEY",
  "x-api-key",
  "authToken",
  "--auth-token",
  "clientSecret",
  "AWS_SECRET_ACCESS_KEY",
  "SESSION_SIGNING_KEY",
  "privateKey",
  ".dockerconfigjson",
  "GF_SECURITY_ADMIN_PASSWORD",
  "Authorization",
];
const HARMLESS = [
  "secretName",
  "secretRef",
  "tokenExpirationSeconds",
  "PASSWORD_FILE",
  "imagePullSecretNames",
  "key",
  "KEYCLOAK_URL",
  "tokenUrl",
  "monkey",
  "replicas",
  "secret-version",
  "",
];

/** Text in which one part is a credential. */
const LEAKS: readonly (readonly [string, string, string])[] = [
  ["a password in a URL", "postgres://app:hunter2x@db:5432/shop", "hunter2x"],
  ["a bearer token", "Authorization: Bearer abcdef0123456789", "abcdef0123456789"],
  ["basic authentication", "proxy-authorization: basic dXNlcjpwYXNzd29yZA==", "dXNlcjpwYXNzd29yZA"],
  ["an assignment", "connecting with password=hunter2x to db", "hunter2x"],
  ["a quoted field of JSON", '{"user":"app","apiKey":"k-123456"}', "k-123456"],
  ["an escaped field of JSON", '"{\\"token\\":\\"k-123456\\"}"', "k-123456"],
  ["a line of YAML", "password: s3cr3tpass", "s3cr3tpass"],
  ["a GitHub token", "using ghp_0123456789abcdefghijABCDEFGHIJ012345", "ghp_0123456789"],
  [
    "a JSON web token",
    "got eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTYifQ.c2lnbmF0dXJlMTIz",
    "c2lnbmF0dXJlMTIz",
  ],
  [
    "a private key",
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
    "MIIEow",
  ],
  ["a private key that is cut off", "x\n-----BEGIN PRIVATE KEY-----\nMIIEow", "MIIEow"],
  ["a flag", "app --db-password=hunter2x --port=80", "hunter2x"],
];
const KEPT = [
  "invalid token: expired",
  "password authentication failed for user app",
  "Type:  Secret (a volume populated by a Secret)",
  "secretName: checkout-tls",
  "couldn't find key PAYMENTS_API_URL in ConfigMap shop/checkout-config",
  "http://checkout.shop.svc:8080/healthz",
  '2026-01-01T00:00:00Z level=error msg="request failed" status=503',
  "automountServiceAccountToken: false",
];

describe("runtime/toolservers/redact", () => {
  for (const name of CREDENTIALS)
    it(`takes ${name} for a credential`, () => {
      assert.equal(isCredentialName(name), true);
    });
  for (const name of HARMLESS)
    it(`takes ${JSON.stringify(name)} for no credential`, () => {
      assert.equal(isCredentialName(name), false);
    });

  for (const [what, text, secret] of LEAKS)
    it(`blanks ${what}`, () => {
      const shown = redactText(text);
      assert.ok(!shown.includes(secret), shown);
      assert.match(shown, /<redacted>/);
    });
  for (const text of KEPT)
    it(`keeps "${text.slice(0, 50)}"`, () => {
      assert.equal(redactText(text), text);
    });

  it("blanks fields, flag values and {name, value} pairs of any depth and keeps everything else", () => {
    const value = {
      containers: [
        {
          image: "shop:1",
          args: ["--user", "app", "--password", "hunter2x"],
          env: [
            { name: "DB_PASSWORD", value: "hunter2x" },
            { name: "LOG_LEVEL", value: "info" },
            { name: "TOKEN", valueFrom: { secretKeyRef: { name: "a", key: "password" } } },
          ],
        },
      ],
      values: { auth: { adminPassword: "hunter2x", replicas: 3, enabled: true } },
    };
    assert.deepEqual(redactValue(value), {
      containers: [
        {
          image: "shop:1",
          args: ["--user", "app", "--password", "<redacted>"],
          env: [
            { name: "DB_PASSWORD", value: "<redacted>" },
            { name: "LOG_LEVEL", value: "info" },
            { name: "TOKEN", valueFrom: { secretKeyRef: { name: "a", key: "password" } } },
          ],
        },
      ],
      values: { auth: { adminPassword: "<redacted>", replicas: 3, enabled: true } },
    });
  });

  it("copies any JSON data without changing its shape", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const shape = (each: unknown): unknown => {
          if (Array.isArray(each)) return each.map(shape);
          if (typeof each !== "object" || each === null) return typeof each;
          return Object.fromEntries(
            Object.entries(each).map(([key, inner]) => [key, shape(inner)]),
          );
        };
        assert.deepEqual(shape(redactValue(value)), shape(value));
      }),
    );
  });

  it("stays quick on text made to be slow", () => {
    const hostile = [
      "password".repeat(20_000),
      "a".repeat(200_000),
      "-----BEGIN PRIVATE KEY-----".repeat(5_000),
      "https://".repeat(20_000),
      `eyJ${"a.".repeat(100_000)}`,
      "token=".repeat(30_000),
      "Bearer ".repeat(30_000),
    ];
    const started = performance.now();
    for (const text of hostile) redactText(text);
    const perMegabyte = performance.now() - started;
    assert.ok(perMegabyte < 2_500, `${Math.round(perMegabyte)} ms`);
  });
});
