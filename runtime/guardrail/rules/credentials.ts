import type { GuardRule } from "../guard-rule.ts";

const rule = (
  id: string,
  pattern: RegExp,
  example: string,
  counterExample: string,
  value?: "random",
): GuardRule => ({
  id: `credentials.${id}`,
  family: "credentials",
  pattern,
  example,
  counterExample,
  ...(value === undefined ? {} : { value }),
});

/** A run of letters and digits that belongs to nobody. */
const FAKE = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8";

/** Keys, tokens and passwords by their form, most specific first. */
export const CREDENTIAL_RULES: readonly GuardRule[] = [
  rule(
    "private-key",
    /-----begin [a-z ]{0,20}private key-----[a-z0-9+/=\s\\]*/g,
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
    "-----BEGIN CERTIFICATE-----\nMIIEow",
  ),
  rule(
    "github-token",
    /\b(?:gh[opsur]_[0-9a-z]{36,255}|github_pat_[0-9a-z_]{40,255})/g,
    `ghp_${FAKE}`,
    "ghp_short is not a token",
  ),
  rule("gitlab-token", /\bglpat-[0-9a-z_-]{20,64}/g, "glpat-a1B2c3D4e5F6g7H8i9J0", "glpat-x"),
  rule("slack-token", /\bxox[abeprs]-[0-9a-z-]{10,256}/g, "xoxb-123456789012-abcdef", "xoxb"),
  rule("aws-key-id", /\b(?:akia|asia)[0-9a-z]{16}\b/g, "AKIAIOSFODNN7EXAMPLE", "akia is a word"),
  rule("google-key", /\baiza[0-9a-z_-]{35}/g, `AIza${FAKE.slice(1)}`, "AIzanot"),
  rule(
    "model-provider-key",
    /\bsk-(?:ant-|proj-|svcacct-)?[0-9a-z_-]{20,256}/g,
    `sk-proj-${FAKE}`,
    "the sk-learn package",
    "random",
  ),
  rule("stripe-key", /\b[rs]k_live_[0-9a-z]{16,128}/g, "sk_live_a1B2c3D4e5F6g7H8", "sk_live_"),
  rule("npm-token", /\bnpm_[0-9a-z]{36}\b/g, `npm_${FAKE}`, "npm_config_registry"),
  rule(
    "pypi-token",
    /\bpypi-ageichlwas[0-9a-z_-]{20,512}/g,
    `pypi-AgEIcHlwaS${FAKE}`,
    "pypi-server",
  ),
  rule(
    "jwt",
    /\beyj[0-9a-z_-]{10,4096}\.eyj[0-9a-z_-]{10,8192}\.[0-9a-z_-]{10,2048}/g,
    "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLW5vYm9keQ",
    "eyJhbGciOiJSUzI1NiJ9 alone",
  ),
  rule(
    "authorization-header",
    /\bauthorization["']?\s{0,3}[:=]\s{0,3}["']?(?:bearer|basic|token)\s{1,3}([0-9a-z._~+/=-]{8,4096})/g,
    "Authorization: Bearer a1b2c3d4e5f6",
    "authorization: RBAC decides",
  ),
  rule(
    "url-password",
    /\b[a-z][a-z0-9+.-]{1,20}:\/\/[^\s:/@]{1,128}:([^\s/@]{3,256})@/g,
    "postgres://kagent:s3cr3t@db:5432/kagent",
    "http://db:5432/kagent",
  ),
  rule(
    "assignment",
    /\b[a-z0-9_.-]{0,40}(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key)["']?\s{0,3}[:=]\s{0,3}["']?([^\s"',;<>{}()[\]]{8,512})/g,
    "DB_PASSWORD=hunter2-f00d-9a7b",
    "password: valueFrom",
    "random",
  ),
];
