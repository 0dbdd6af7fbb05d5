import type { Clock } from "../../process/clock.ts";
import { StoreAwayError } from "../store-away-error.ts";
import {
  type CallInput,
  type CallOutput,
  STORE_CALLS,
  STORE_PATH,
  type StoreCall,
} from "./protocol.ts";
import { fromWireError } from "./wire-error.ts";

/** 10 s for one request: a batch is written in milliseconds. */
const ATTEMPT_MS = 10_000;
/** 15 s of tries for what a caller waits for; then it is told that the store is away. */
const PATIENCE_MS = 15_000;
/** Waits between tries: 100 ms, doubled up to 2 s, of which a random half is left out. */
const BACK_OFF = { firstMs: 100, mostMs: 2_000 };
/** 64 MiB for one answer: bounds memory. Events are asked for page by page. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** What a {@link StoreClient} needs. */
export interface StoreClientDeps {
  /** The controller, e.g. `http://kagent-controller.kagent:8083` (KAGENT_URL). */
  readonly url: string;
  /** The token that proves who this worker is; asked for with every request, for it rotates. */
  readonly token: () => Promise<string | undefined>;
  readonly clock: Clock;
  /** 0 <= n < 1; spreads tries. */
  readonly random: () => number;
  /** Node's own unless set. */
  readonly fetch?: typeof fetch;
}

/** How a call is repeated. */
export interface CallPatience {
  /** Milliseconds from the first try after which none is begun; 0: one try. */
  readonly ms?: number;
  /** `never-sent`: only what certainly did not arrive is sent again. */
  readonly repeat?: "always" | "never-sent";
}

/** Calls the store over HTTP. */
export class StoreClient {
  readonly #deps: StoreClientDeps;

  constructor(deps: StoreClientDeps) {
    this.#deps = deps;
  }

  /** The error that says that the store cannot be had. @param what - Why. */
  awayError(
    what: string,
    options: ErrorOptions & { readonly notSent?: boolean } = {},
  ): StoreAwayError {
    const message = `failed to reach the session store at ${this.#deps.url} (${what}); is the controller running?`;
    return new StoreAwayError(message, options);
  }

  /**
   * Calls until there is an answer.
   *
   * @throws The store's own errors; StoreForbiddenError; StoreAwayError after 15 s of tries unless said otherwise; the
   *   signal's reason.
   */
  async call<C extends StoreCall>(
    name: C,
    input: CallInput<C>,
    signal: AbortSignal,
    patience: CallPatience = {},
  ): Promise<CallOutput<C>> {
    const { clock } = this.#deps;
    const body = JSON.stringify(input);
    const until = clock.monotonic() + (patience.ms ?? PATIENCE_MS);
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.attempt(name, body, signal);
      } catch (error) {
        if (!(error instanceof StoreAwayError)) throw error;
        if (patience.repeat === "never-sent" && !error.notSent) throw error;
        const waitMs = this.backOff(tries);
        if (clock.monotonic() + waitMs > until) throw error;
        await clock.sleep(waitMs, signal);
      }
    }
  }

  /** Milliseconds to wait after so many failures in a row. */
  backOff(failures: number): number {
    const full = Math.min(BACK_OFF.mostMs, BACK_OFF.firstMs * 2 ** Math.min(failures - 1, 10));
    return full * (0.5 + this.#deps.random() / 2);
  }

  /**
   * Sends one request.
   *
   * @param body - The input as JSON.
   * @throws As {@link call}, without another try.
   */
  async attempt<C extends StoreCall>(
    name: C,
    body: string,
    signal: AbortSignal,
  ): Promise<CallOutput<C>> {
    const late = new AbortController();
    const disarm = this.#deps.clock.schedule(ATTEMPT_MS, () => {
      late.abort(new Error(`no answer within ${ATTEMPT_MS} ms`));
    });
    try {
      return await this.#request(name, body, AbortSignal.any([signal, late.signal]));
    } catch (error) {
      signal.throwIfAborted();
      if (late.signal.aborted) throw this.awayError("no answer in time", { cause: error });
      throw error;
    } finally {
      disarm();
    }
  }

  async #request<C extends StoreCall>(
    name: C,
    body: string,
    signal: AbortSignal,
  ): Promise<CallOutput<C>> {
    const { url, token, fetch: send = fetch } = this.#deps;
    const bearer = await token();
    const headers = {
      "content-type": "application/json",
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    };
    let response: Response;
    let text: string;
    try {
      const target = `${url.replace(/\/+$/, "")}${STORE_PATH}/${name}`;
      response = await send(target, { method: "POST", headers, body, signal, redirect: "error" });
      text = await bounded(response);
    } catch (error) {
      const code = systemCode(error);
      const notSent = code !== undefined && NOT_CONNECTED.has(code);
      throw this.awayError(code ?? "the connection broke", { cause: error, notSent });
    }
    return this.#read(name, response.status, text);
  }

  #read<C extends StoreCall>(name: C, status: number, text: string): CallOutput<C> {
    const answer = parse(text);
    const refused = fromWireError(answer);
    if (refused !== undefined) throw refused;
    // Refused before the store saw it: a proxy without its server, or one that takes nothing at the moment.
    const notSent = status === 401 || status === 429 || status === 503;
    if (status !== 200 || typeof answer !== "object" || answer === null)
      throw this.awayError(`HTTP ${status}`, { notSent });
    const output = STORE_CALLS[name].output.safeParse(Reflect.get(answer, "result"));
    if (!output.success)
      throw this.awayError("its answer is of another version", { cause: output.error });
    return output.data as CallOutput<C>;
  }
}

/** System errors of a connection that was never made. */
const NOT_CONNECTED = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "UND_ERR_CONNECT_TIMEOUT",
]);

function systemCode(error: unknown): string | undefined {
  for (let at = error; at instanceof Error; at = at.cause) {
    const { code } = at as NodeJS.ErrnoException;
    if (typeof code === "string") return code;
  }
  return undefined;
}

async function bounded(response: Response): Promise<string> {
  if (response.body === null) return "";
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body as ReadableStream<Uint8Array>) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES)
      throw new Error(`the answer is larger than ${MAX_ANSWER_BYTES} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // a proxy's page
  }
}
