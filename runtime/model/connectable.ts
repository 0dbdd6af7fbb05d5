import { connect } from "node:net";
import type { Clock } from "../process/clock.ts";
import { ModelError } from "./chat-model.ts";
import type { OllamaEndpoint } from "./ollama-endpoint.ts";
import { connectionFailure } from "./ollama-errors.ts";

/** How long {@link connectable} waits. */
export interface ConnectLimit {
  readonly limitMs: number;
  readonly clock: Clock;
}

/**
 * Resolves when something accepts connections at `endpoint`; the connection is closed again.
 *
 * @throws ModelError `unreachable`, or `timeout` after `limitMs`.
 * @throws The signal's reason after an abort.
 */
export async function connectable(
  endpoint: OllamaEndpoint,
  { limitMs, clock }: ConnectLimit,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  const { hostname, port, protocol } = new URL(endpoint.url);
  const host = hostname.replace(/^\[|\]$/g, "");
  const socket = connect({ host, port: Number(port || (protocol === "https:" ? 443 : 80)) });
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const abandon = () => {
    reject(signal.reason as Error);
  };
  const cancel = clock.schedule(limitMs, () => {
    const message = `Ollama at ${endpoint.url} timed out: no connection within ${limitMs} ms`;
    reject(new ModelError(message, { code: "timeout", retryable: true }));
  });
  signal.addEventListener("abort", abandon, { once: true });
  socket.once("connect", () => {
    resolve(undefined);
  });
  socket.on("error", (error) => {
    reject(connectionFailure(endpoint.url, error));
  });
  try {
    await promise;
  } finally {
    cancel();
    signal.removeEventListener("abort", abandon);
    socket.destroy();
  }
}
