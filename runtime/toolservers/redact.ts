/** Stands where a credential was. */
export const REDACTED = "<redacted>";

const WORDS = new Set([
  "authorization",
  "credential",
  "credentials",
  "passphrase",
  "passwd",
  "password",
  "passwords",
  "pwd",
  "secret",
  "secrets",
  "token",
  "tokens",
  "apikey",
  "accesskey",
  "secretkey",
  "privatekey",
  "dockerconfigjson",
  "htpasswd",
  "kubeconfig",
]);
/** `key` is a credential only after one of these. */
const KEY_KINDS = new Set([
  "access",
  "account",
  "api",
  "encryption",
  "hmac",
  "license",
  "master",
  "private",
  "secret",
  "session",
  "shared",
  "signing",
  "ssh",
]);
/** What ends in one of these names or measures a credential and holds none. */
const HARMLESS_ENDINGS = new Set([
  "count",
  "dir",
  "enabled",
  "file",
  "hash",
  "kind",
  "length",
  "mode",
  "name",
  "names",
  "namespace",
  "path",
  "ref",
  "refs",
  "seconds",
  "ttl",
  "type",
  "url",
  "version",
]);

/**
 * Whether a field, variable or flag of this name holds a credential: `DB_PASSWORD`, `apiKey`, `--auth-token`;
 * not `secretName`, `tokenExpirationSeconds`, `PASSWORD_FILE`.
 */
export function isCredentialName(name: string): boolean {
  const known = verdicts.get(name);
  if (known !== undefined) return known;
  const verdict = judge(name);
  if (verdicts.size >= MAX_VERDICTS) verdicts.clear();
  if (name.length <= MAX_CACHED_NAME) verdicts.set(name, verdict);
  return verdict;
}

/** The names of fields repeat by the thousand in a list of objects. 5000 names of at most 100 characters are kept. */
const verdicts = new Map<string, boolean>();
const MAX_VERDICTS = 5000;
const MAX_CACHED_NAME = 100;

function judge(name: string): boolean {
  const words = name
    .slice(-120)
    .replace(/([a-z0-9])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== "");
  const last = words.at(-1);
  if (last === undefined || HARMLESS_ENDINGS.has(last)) return false;
  return words.some(
    (word, index) => WORDS.has(word) || (word === "key" && KEY_KINDS.has(words[index - 1] ?? "")),
  );
}

// Every pattern is bounded, and none may begin inside what a failed attempt has read: time stays linear.

/** Tokens that give themselves away by their form. */
const KNOWN_FORMS =
  /\b(?:gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|glpat-[\w-]{20,100}|gls?a_[A-Za-z0-9_]{20,100}|xox[abprs]-[A-Za-z0-9-]{10,200}|A[KS]IA[A-Z0-9]{16}|sk-[A-Za-z0-9_-]{20,200}|(?<!-)eyJ[\w-]{8,4000}\.[\w-]{8,8000}\.[\w-]{8,4000})/g;
const PRIVATE_KEY =
  /-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g;
const SCHEME = /\b(Bearer|Basic)[ \t]{1,4}[\w.~+/=-]{8,}/gi;
const USER_INFO = /\b([a-z][a-z0-9+.-]{1,20}:\/\/[^\s:@/"']{0,128}):[^\s@/"']{1,256}@/gi;
const ASSIGNMENT =
  /(?<![\w.-])([\w.-]{1,200})(\\?["']?[ \t]{0,2}[=:][ \t]{0,2}\\?["']?)([^\s"'\\,;&<>{}[\]()]{4,4096})/g;

/** What every pattern above needs somewhere; most texts of an object have none of it. */
const SUSPECT =
  /:\/\/|secret|token|passw|pwd|passphrase|key|credential|authoriz|kubeconfig|dockerconfig|bearer|basic|eyJ|gh[pousr]_|github_pat|glpat|gls?a_|xox|A[KS]IA|sk-/i;

/**
 * `text` without the credentials that show by their form: private keys, bearer and basic credentials, passwords
 * in URLs, known token formats, `password=...`. Linear in the length of the text.
 */
export function redactText(text: string): string {
  if (!SUSPECT.test(text)) return text;
  return text
    .replace(PRIVATE_KEY, REDACTED)
    .replace(SCHEME, `$1 ${REDACTED}`)
    .replace(USER_INFO, `$1:${REDACTED}@`)
    .replace(KNOWN_FORMS, REDACTED)
    .replace(ASSIGNMENT, redactAssignment);
}

function redactAssignment(whole: string, name: string, sign: string, value: string): string {
  if (!isCredentialName(name)) return whole;
  // "invalid token: expired" is prose; "token: a81f" and "token=expired" are not
  if (/^:[ \t]+$/.test(sign) && /^[A-Za-z]+[.!?]?$/.test(value)) return whole;
  if (value === "true" || value === "false" || value === "null") return whole;
  return `${name}${sign}${REDACTED}`;
}

/**
 * A copy of JSON data in which no field holds a credential: fields named like one are blanked, flags in
 * argument lists and `{name, value}` pairs too, and every other text passes {@link redactText}.
 */
export function redactValue(value: unknown): unknown {
  if (typeof value === "string") return redactText(value);
  if (Array.isArray(value)) return redactList(value as readonly unknown[]);
  if (typeof value !== "object" || value === null) return value;
  return redactRecord(value as Readonly<Record<string, unknown>>);
}

function redactList(items: readonly unknown[]): unknown[] {
  return items.map((item, index) => {
    const before = items[index - 1];
    const isFlagValue =
      typeof before === "string" && /^--?[A-Za-z][\w-]*$/.test(before) && isCredentialName(before);
    return isFlagValue && typeof item === "string" ? REDACTED : redactValue(item);
  });
}

function redactRecord(record: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { name } = record;
  const namesCredential = typeof name === "string" && isCredentialName(name);
  const entries = Object.entries(record).map(([key, value]): [string, unknown] => {
    const blank =
      typeof value === "string" &&
      value !== "" &&
      (isCredentialName(key) || (key === "value" && namesCredential));
    return [key, blank ? REDACTED : redactValue(value)];
  });
  return Object.fromEntries(entries);
}
