import * as z from "zod";
import type { Clock } from "../process/clock.ts";
import { AgentCallError, shownUrl, statusError } from "./call-error.ts";

/** Longest waits of one call in milliseconds. */
export interface CallTimeouts {
  /** From the request to the head of the answer. */
  readonly connectMs: number;
  /** Without a byte; comments of a stream count, they say that the server is alive. */
  readonly idleMs: number;
}

/** 16 MiB for one JSON answer: bounds memory per call. Events of a stream are bounded by the SDK (4 MiB). */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;
/** 64 KiB of an error's body: more is no JSON-RPC error. */
const MAX_ERROR_BYTES = 64 * 1024;

const RpcError = z.object({
  jsonrpc: z.literal("2.0"),
  error: z.object({ code: z.int(), message: z.string() }),
});

/**
 * `fetch` with time and size limits for the SDK's transports.
 *
 * Redirects are refused: they would carry headers elsewhere. An HTTP error whose body is no JSON-RPC
 * error throws.
 *
 * @throws AgentCallError `timeout`, or by HTTP status; else what `fetch` throws.
 */
export function limitedFetch(
  limits: CallTimeouts,
  clock: Clock,
  base: typeof fetch = fetch,
): typeof fetch {
  return async (input, init = {}) => {
    const url = shownUrl(typeof input === "object" && "url" in input ? input.url : String(input));
    const limit = new AbortController();
    const within = (ms: number, what: string): (() => void) =>
      clock.schedule(ms, () => {
        const message = `failed to call agent at ${url}: no ${what} within ${ms} ms`;
        limit.abort(new AgentCallError("timeout", message));
      });
    const signals = init.signal ? [init.signal, limit.signal] : [limit.signal];
    const signal = AbortSignal.any(signals);
    const disarm = within(limits.connectMs, "answer");
    const response = await base(input, { ...init, signal, redirect: "error" }).finally(disarm);
    const watched = watch(url, response, () => within(limits.idleMs, "data"));
    return response.ok ? watched : await checkError(url, watched);
  };
}

/** The same answer; its body has to keep moving and to stay in bounds. */
function watch(url: string, response: Response, arm: () => () => void): Response {
  if (response.body === null) return response;
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  const maxBytes = isStream ? Number.POSITIVE_INFINITY : MAX_ANSWER_BYTES;
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  let bytes = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const step = await reader.read().finally(arm());
        if (step.done) {
          controller.close();
          return;
        }
        bytes += step.value.length;
        if (bytes > maxBytes) {
          const message = `the answer of the agent at ${url} is larger than ${maxBytes} bytes`;
          const error = new AgentCallError("protocol", message);
          await reader.cancel(error);
          throw error;
        }
        controller.enqueue(step.value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
  const { status, headers } = response;
  return new Response(body, { status, headers });
}

async function checkError(url: string, response: Response): Promise<Response> {
  const text = await response.text();
  const { status, headers } = response;
  if (text.length > MAX_ERROR_BYTES || !isRpcError(text)) throw statusError(url, status);
  return new Response(text, { status, headers });
}

function isRpcError(text: string): boolean {
  try {
    return RpcError.safeParse(JSON.parse(text)).success;
  } catch {
    return false; // a proxy's page
  }
}
