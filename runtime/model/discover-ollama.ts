import * as z from "zod";
import { type Clock, systemClock } from "../process/clock.ts";
import { connectable } from "./connectable.ts";
import { OllamaConnection } from "./ollama-connection.ts";
import { DEFAULT_OLLAMA_HOST, type OllamaEndpoint, ollamaEndpoint } from "./ollama-endpoint.ts";
import { outOfProtocol } from "./ollama-errors.ts";

/** Pulled where nothing fits: calls tools well and runs on a laptop. */
const RECOMMENDED_MODEL = "qwen2.5:14b";

/** 1 s to connect: nobody waits longer for a start to find out that there is no Ollama. */
const CONNECT_MS = 1_000;
/** 2 s for each answer; these requests load no model. */
const ANSWER_MS = 2_000;
/** The 40 newest models are looked at, 4 at a time. */
const MAX_MODELS = 40;
const AT_ONCE = 4;

/** A model that is installed. */
interface InstalledModel {
  /** With its tag. */
  readonly name: string;
  /** `completion`, `tools`, `thinking`, ...; empty when the server does not say. */
  readonly capabilities: readonly string[];
  /** Longest context the model was made for, in tokens. */
  readonly contextLength?: number;
}

/** An Ollama server that answers. */
export interface OllamaDiscovery {
  /** Base URL, without credentials. */
  readonly host: string;
  /** Of the server. */
  readonly version: string;
  /** Newest first. */
  readonly models: readonly InstalledModel[];
  /** The model to use: the one asked for, else the first that can call tools. */
  readonly chosen: InstalledModel | undefined;
  /** Command that installs what is missing; set when nothing was chosen. */
  readonly pull: string | undefined;
}

/** What to look for. */
export interface DiscoveryOptions {
  /** Must be this one; a missing tag is `latest`. */
  readonly model?: string | undefined;
  /** Counts waits; the machine's clock unless set. */
  readonly clock?: Clock;
}

const Version = z.object({ version: z.string() });
const Tags = z.object({ models: z.array(z.object({ name: z.string() })) });
const Details = z.object({
  capabilities: z.array(z.string()).nullish(),
  template: z.string().nullish(),
  model_info: z.record(z.string(), z.unknown()).nullish(),
});

/**
 * Asks an Ollama server what it has and picks a model.
 *
 * A model asked for is chosen whatever its capabilities; a server that cannot describe a model leaves
 * it without.
 *
 * @param host - As ModelConfig spells it; Ollama's usual address when empty.
 * @throws ModelError `unreachable` or `timeout` within about 3 s when there is no server, `protocol`
 *   when what answers is none.
 * @throws The signal's reason after an abort.
 */
export async function discoverOllama(
  host: string | undefined,
  options: DiscoveryOptions,
  signal: AbortSignal,
): Promise<OllamaDiscovery> {
  const endpoint = ollamaEndpoint(host ?? DEFAULT_OLLAMA_HOST);
  // Most machines have none: a plain connection tells without loading the client libraries.
  await connectable(endpoint, { limitMs: CONNECT_MS, clock: options.clock ?? systemClock }, signal);
  const ask: Ask = (work) => once({ endpoint, clock: options.clock ?? systemClock }, work, signal);
  const { version } = await ask(async ({ client }) => Version.parse(await client.version()));
  const tags = await ask(async ({ client }) => Tags.parse(await client.list()));
  const models = await describeAll(
    tags.models.map(({ name }) => name),
    ask,
    signal,
  );
  const wanted = options.model === undefined ? undefined : withTag(options.model);
  const chosen = models.find(({ name, capabilities }) =>
    wanted === undefined ? capabilities.includes("tools") : withTag(name) === wanted,
  );
  const pull =
    chosen === undefined ? `ollama pull ${options.model ?? RECOMMENDED_MODEL}` : undefined;
  return { host: endpoint.url, version, models, chosen, pull };
}

type Ask = <T>(work: (connection: OllamaConnection) => Promise<T>) => Promise<T>;

async function once<T>(
  { endpoint, clock }: { readonly endpoint: OllamaEndpoint; readonly clock: Clock },
  work: (connection: OllamaConnection) => Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  const to = { endpoint, connectMs: CONNECT_MS, answerMs: ANSWER_MS, clock };
  const connection = await OllamaConnection.open(to, signal);
  try {
    return await work(connection);
  } catch (error) {
    if (error instanceof z.ZodError || error instanceof SyntaxError)
      throw outOfProtocol(endpoint.url, "does not answer like Ollama", error);
    throw connection.failure(error);
  } finally {
    connection.close();
  }
}

async function describeAll(
  names: readonly string[],
  ask: Ask,
  signal: AbortSignal,
): Promise<readonly InstalledModel[]> {
  const models: InstalledModel[] = [];
  for (let at = 0; at < Math.min(names.length, MAX_MODELS); at += AT_ONCE) {
    const some = names.slice(at, Math.min(at + AT_ONCE, MAX_MODELS));
    models.push(...(await Promise.all(some.map((name) => describe(name, ask, signal)))));
  }
  return models;
}

async function describe(name: string, ask: Ask, signal: AbortSignal): Promise<InstalledModel> {
  try {
    const details = Details.parse(await ask(({ client }) => client.show({ model: name })));
    const length = Object.entries(details.model_info ?? {}).find(([key]) =>
      key.endsWith(".context_length"),
    )?.[1];
    return {
      name,
      capabilities: details.capabilities ?? guessed(details.template ?? ""),
      ...(typeof length === "number" && length > 0 && { contextLength: length }),
    };
  } catch {
    signal.throwIfAborted();
    return { name, capabilities: [] };
  }
}

/** Servers before 0.6.4 name no capabilities; a template that renders tools shows the one that counts. */
function guessed(template: string): readonly string[] {
  return template.includes(".Tools") ? ["completion", "tools"] : [];
}

/** Ollama's full name of a model. */
function withTag(name: string): string {
  return (name.split("/").at(-1) ?? "").includes(":") ? name : `${name}:latest`;
}
