import * as z from "zod";
import type { AgentConfig } from "./agent-config.ts";
import { Card, fromCard } from "./agent-files/card-part.ts";
import { CREDENTIAL_PREFIX, withSecrets } from "./agent-files/credentials.ts";
import { fromKagentConfig, KagentConfig, toKagentConfig } from "./agent-files/kagent-config.ts";
import { AGENT_FILES } from "./agent-files/names.ts";
import { RuntimeFile } from "./agent-files/runtime-file.ts";
import { DEFAULT_APPROVAL, DEFAULT_LIMITS, DEFAULT_RETRY } from "./agent-limits.ts";
import { canonical } from "./approval-decision.ts";
import { type Checked, check, type Violation } from "./checked.ts";
import { hashed, type UnhashedConfig } from "./config-hash.ts";
import { toMs } from "./duration.ts";
import { type ObjectRef, refKey } from "./names.ts";

/** Text by the name of the file; the values of the Secret that a worker finds in its folder. */
export type AgentFiles = Readonly<Record<string, string>>;

/** 1 MiB: more than a Secret holds, in whatever encoding. */
const MAX_FILE_LENGTH = 1_048_576;
/** kagent-api section 1.5. */
const TOOL_RESULT_MAX_BYTES = 16_384;

const Credentials = z.record(z.string(), z.string());

/**
 * An agent's configuration as files; the same text for the same configuration.
 *
 * `config.json` has kagent's keys only, `runtime.json` whole fields of the configuration of which `config.json` and the
 * card say nothing or something else. In both, secret values are `credential:<id>`; `credentials.json` has the values.
 * An id names the place of its value, so a rotated value changes that one file.
 *
 * @param card - The A2A card, written as `agent-card.json`.
 * @returns `config.json`, and of the other files those that have something in them.
 */
export function writeAgentFiles(config: AgentConfig, card?: object): AgentFiles {
  const { hash: _, ...content } = config;
  const credentials: Record<string, string> = {};
  const open = withSecrets(content, (id, value) => {
    credentials[id] = value;
    return `${CREDENTIAL_PREFIX}${id}`;
  });
  const said = { [AGENT_FILES.config]: JSON.stringify(toKagentConfig(open)), ...cardFile(card) };
  const unsaid = difference(open, impliedBy(said, config.ref));
  return {
    ...said,
    ...(Object.keys(unsaid).length === 0 ? {} : { [AGENT_FILES.runtime]: JSON.stringify(unsaid) }),
    ...(Object.keys(credentials).length === 0
      ? {}
      : { [AGENT_FILES.credentials]: JSON.stringify(credentials) }),
  };
}

/** The file of a card; none without a card. */
export function cardFile(card: object | undefined): AgentFiles {
  return card === undefined ? {} : { [AGENT_FILES.card]: JSON.stringify(card) };
}

/**
 * An agent's configuration from its files; the inverse of {@link writeAgentFiles}.
 *
 * A `config.json` of kagent alone will do: what it does not say has the defaults of an Agent that does not say it.
 *
 * @param ref - Whose files they are: KAGENT_NAMESPACE and KAGENT_NAME of the pod, or the key in a shared folder.
 * @returns The configuration, or every violation with file and path (`config.json.model.type`). Never throws.
 */
export function readAgentFiles(files: AgentFiles, ref: ObjectRef): Checked<AgentConfig> {
  const config = readFile(files, AGENT_FILES.config, KagentConfig);
  const card = readFile(files, AGENT_FILES.card, Card);
  const runtime = readFile(files, AGENT_FILES.runtime, RuntimeFile);
  const credentials = readFile(files, AGENT_FILES.credentials, Credentials);
  const violations = [config, card, runtime, credentials].flatMap((file) =>
    file.ok ? [] : file.violations,
  );
  if (!config.ok || !card.ok || !runtime.ok || !credentials.ok) return { ok: false, violations };
  if (config.value === undefined)
    return {
      ok: false,
      violations: [{ path: AGENT_FILES.config, message: `agent ${refKey(ref)} has no such file` }],
    };
  const open = { ...implied(config.value, card.value, ref), ...runtime.value };
  return withValues(open, credentials.value ?? {});
}

/** A file that is absent is `undefined`. */
function readFile<T>(
  files: AgentFiles,
  name: string,
  schema: z.ZodType<T>,
): Checked<T | undefined> {
  const text = Object.hasOwn(files, name) ? files[name] : undefined;
  if (text === undefined) return { ok: true, value: undefined };
  const broken = (message: string) =>
    ({ ok: false, violations: [{ path: name, message }] }) as const;
  if (text.length > MAX_FILE_LENGTH) return broken(`is longer than ${MAX_FILE_LENGTH} characters`);
  let input: unknown;
  try {
    input = JSON.parse(text);
  } catch {
    return broken("is no JSON"); // the parser's own words would quote the text
  }
  return check(schema, input, name);
}

/** What files that were just written say. */
function impliedBy(files: AgentFiles, ref: ObjectRef): UnhashedConfig {
  const config = readFile(files, AGENT_FILES.config, KagentConfig);
  const card = readFile(files, AGENT_FILES.card, Card);
  if (!config.ok || config.value === undefined)
    throw new TypeError(`failed to write the files of agent ${refKey(ref)}: they cannot be read`);
  return implied(config.value, card.ok ? card.value : undefined, ref);
}

function implied(
  config: z.output<typeof KagentConfig>,
  card: z.output<typeof Card> | undefined,
  ref: ObjectRef,
): UnhashedConfig {
  const {
    maxDuration,
    maxTokens: _tokens,
    maxDelegations: _delegations,
    ...counts
  } = DEFAULT_LIMITS;
  return {
    ref,
    ...fromKagentConfig(config, ref),
    ...fromCard(card),
    refusals: [],
    envelope: "none",
    limits: { ...counts, maxDurationMs: toMs(maxDuration) },
    toolResultMaxBytes: TOOL_RESULT_MAX_BYTES,
    retry: {
      maxAttempts: DEFAULT_RETRY.maxAttempts,
      initialDelayMs: toMs(DEFAULT_RETRY.initialDelay),
      maxDelayMs: toMs(DEFAULT_RETRY.maxDelay),
    },
    approval: {
      mode: DEFAULT_APPROVAL.mode,
      timeoutMs: toMs(DEFAULT_APPROVAL.timeout),
      approvers: DEFAULT_APPROVAL.approvers ?? [],
    },
    handoffs: [],
    access: { users: [], groups: [] },
  };
}

/** Fields of `config` that `other` does not have or has otherwise. */
function difference(config: UnhashedConfig, other: UnhashedConfig): RuntimeFile {
  const { ref: _, ...fields } = config;
  return Object.fromEntries(
    Object.entries(fields).filter(
      ([name, value]) => canonical(value) !== canonical(Reflect.get(other, name)),
    ),
  );
}

function withValues(
  open: UnhashedConfig,
  credentials: Readonly<Record<string, string>>,
): Checked<AgentConfig> {
  const violations: Violation[] = [];
  const config = withSecrets(open, (place, text) => {
    if (!text.startsWith(CREDENTIAL_PREFIX)) return text;
    const id = text.slice(CREDENTIAL_PREFIX.length);
    const value = Object.hasOwn(credentials, id) ? credentials[id] : undefined;
    if (value === undefined)
      violations.push({
        path: AGENT_FILES.credentials,
        message: `has no credential ${JSON.stringify(id)}, which ${place} refers to`,
      });
    return value ?? "";
  });
  return violations.length > 0 ? { ok: false, violations } : { ok: true, value: hashed(config) };
}
