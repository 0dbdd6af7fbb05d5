import * as z from "zod";

/** Whose models are asked for. */
export interface ModelSource {
  /** Provider as a ModelProviderConfig spells it. */
  readonly type: string;
  /** Base URL; the provider's own when absent. */
  readonly endpoint?: string;
  /** A secret; sent as the provider wants it. */
  readonly apiKey?: string;
}

/** Asks providers which models they serve. */
export interface ModelLister {
  /**
   * Names of the models, sorted, each once.
   *
   * @throws ModelListError when the provider has no such list, refuses, or does not answer in time.
   * @throws The signal's reason after an abort.
   */
  list(source: ModelSource, signal: AbortSignal): Promise<readonly string[]>;
}

/** A provider did not tell its models. The message holds no credential and nothing that the provider said. */
export class ModelListError extends Error {
  override readonly name = "ModelListError";
  /** Whether asking again with the same words may help. */
  readonly retryable: boolean;

  constructor(message: string, retryable: boolean, options?: ErrorOptions) {
    super(message, options);
    this.retryable = retryable;
  }
}

/** 10 s for a list; it costs a provider nothing to make. */
const LIST_MS = 10_000;
/** 4 MiB of JSON: aggregators list some thousand models with descriptions. */
const MAX_BYTES = 4 * 1024 * 1024;
/** 5,000 names: bounds the status of an object, which etcd holds. */
const MAX_MODELS = 5_000;

const OpenAiModels = z.object({ data: z.array(z.object({ id: z.string().min(1).max(256) })) });
const OllamaModels = z.object({ models: z.array(z.object({ name: z.string().min(1).max(256) })) });

const idsOf = (body: unknown): readonly string[] =>
  OpenAiModels.parse(body).data.map(({ id }) => id);
const namesOf = (body: unknown): readonly string[] =>
  OllamaModels.parse(body).models.map(({ name }) => name);

/** How one provider is asked. */
interface Catalogue {
  readonly endpoint: string;
  /** Below the endpoint; a version that the endpoint ends with already is not repeated. */
  readonly path: string;
  readonly headers: (apiKey: string) => Readonly<Record<string, string>>;
  readonly read: (body: unknown) => readonly string[];
}

const bearer = (apiKey: string) => ({ authorization: `Bearer ${apiKey}` });

/** Providers with a list that a key alone opens. */
const CATALOGUES: Readonly<Record<string, Catalogue>> = {
  Ollama: {
    endpoint: "http://127.0.0.1:11434",
    path: "/api/tags",
    headers: bearer,
    read: namesOf,
  },
  OpenAI: {
    endpoint: "https://api.openai.com",
    path: "/v1/models",
    headers: bearer,
    read: idsOf,
  },
  Anthropic: {
    endpoint: "https://api.anthropic.com",
    path: "/v1/models?limit=1000",
    headers: (apiKey) => ({ "x-api-key": apiKey, "anthropic-version": "2023-06-01" }),
    read: idsOf,
  },
  Gemini: {
    endpoint: "https://generativelanguage.googleapis.com",
    path: "/v1beta/models?pageSize=1000",
    headers: (apiKey) => ({ "x-goog-api-key": apiKey }),
    read: (body) => namesOf(body).map((name) => name.replace(/^models\//, "")),
  },
};

/** Lists models over HTTP; undici is loaded at the first call. */
export function httpModelLister(options: { readonly timeoutMs?: number } = {}): ModelLister {
  const timeoutMs = options.timeoutMs ?? LIST_MS;
  return {
    async list(source, signal) {
      const catalogue = Object.hasOwn(CATALOGUES, source.type)
        ? CATALOGUES[source.type]
        : undefined;
      if (catalogue === undefined)
        throw new ModelListError(
          `models of ${source.type} cannot be listed; name them in a ModelConfig`,
          false,
        );
      const limit = AbortSignal.timeout(timeoutMs);
      try {
        const names = await read(source, catalogue, AbortSignal.any([signal, limit]));
        return [...new Set(names)].sort().slice(0, MAX_MODELS);
      } catch (error) {
        signal.throwIfAborted();
        throw failure(source, error, limit.aborted ? timeoutMs : undefined);
      }
    },
  };
}

async function read(
  source: ModelSource,
  catalogue: Catalogue,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const response = await fetch(addressOf(source.endpoint ?? catalogue.endpoint, catalogue.path), {
    headers: {
      accept: "application/json",
      ...(source.apiKey === undefined ? {} : catalogue.headers(source.apiKey)),
    },
    // a redirect could carry the key to another host
    redirect: "manual",
    signal,
  });
  if (!response.ok) {
    await response.body?.cancel();
    throw refusal(source, response.status);
  }
  return catalogue.read(JSON.parse(await bodyOf(response)));
}

async function bodyOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const bytes of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += bytes.byteLength;
    if (size > MAX_BYTES) throw new RangeError("too long");
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Endpoints are written with and without the version of the API. */
function addressOf(endpoint: string, path: string): URL {
  const base = new URL(endpoint);
  const [, version = ""] = path.split("/");
  const prefix = base.pathname.replace(/\/+$/, "");
  const shared = prefix.endsWith(`/${version}`) ? prefix.slice(0, -version.length - 1) : prefix;
  return new URL(`${shared}${path}`, base.origin);
}

function refusal({ type }: ModelSource, status: number): ModelListError {
  const what = `failed to list the models of ${type}`;
  if (status === 401 || status === 403)
    return new ModelListError(
      `${what}: the key was refused (status ${status}); renew the Secret`,
      false,
    );
  if (status >= 300 && status < 400)
    return new ModelListError(
      `${what}: the endpoint redirects (status ${status}); name its final address`,
      false,
    );
  const isPassing = status >= 500 || status === 408 || status === 429;
  const remedy = isPassing ? "" : "; check the endpoint";
  return new ModelListError(`${what}: it answered with status ${status}${remedy}`, isPassing);
}

function failure(source: ModelSource, error: unknown, lateMs: number | undefined): ModelListError {
  if (error instanceof ModelListError) return error;
  const what = `failed to list the models of ${source.type}`;
  const options = { cause: error };
  if (lateMs !== undefined)
    return new ModelListError(`${what}: no answer within ${lateMs / 1_000} s`, true, options);
  if (error instanceof z.ZodError || error instanceof SyntaxError)
    return new ModelListError(
      `${what}: the answer is no list of models; check the endpoint`,
      false,
      options,
    );
  if (error instanceof RangeError)
    return new ModelListError(`${what}: the answer is longer than 4 MiB`, false, options);
  return new ModelListError(`${what}: it cannot be reached${codeOf(error)}`, true, options);
}

function codeOf(error: unknown): string {
  const cause = error instanceof Error ? error.cause : undefined;
  const code = (cause as { readonly code?: unknown } | undefined)?.code;
  return typeof code === "string" && /^[A-Z_]{1,40}$/.test(code) ? ` (${code})` : "";
}
