import { AsyncLocalStorage } from "node:async_hooks";

/** The request to a tool server that the current asynchronous context sends, if any. */
export const currentExchange = new AsyncLocalStorage<Exchange | undefined>();

/**
 * One JSON-RPC request and the HTTP request that carries it.
 *
 * The SDK tells neither the status of that HTTP request nor that its answer ended without a result; a
 * call would wait for its time limit. The socket layer writes here what the SDK leaves out.
 */
export class Exchange {
  /** Headers of this request alone, beside those of its connection. */
  readonly headers: Readonly<Record<string, string>>;
  /** HTTP status; 0 before the answer came. */
  status = 0;
  /** Why the body of the answer broke off. */
  failure: Error | undefined;
  /** The server gave a token by which the SDK fetches the rest after a break. */
  resumable = false;
  /** No result can come any more, though the server may have done what it was asked. */
  lost = false;
  /** Called when the HTTP answer is over. */
  onEnded: () => void = () => undefined;
  #claimed = false;
  #hangUp: () => void = () => undefined;

  constructor(headers: Readonly<Record<string, string>>) {
    this.headers = headers;
  }

  /**
   * This exchange for the first HTTP request that asks, and for the one that follows a redirect of it;
   * nothing for others in its context.
   */
  claim(): this | undefined {
    if (this.#claimed) return undefined;
    this.#claimed = true;
    return this;
  }

  /** How to drop the HTTP request. */
  onHangUp(work: () => void): void {
    this.#hangUp = work;
  }

  /** Drops the HTTP request; an answer that is over already is left alone. */
  hangUp(): void {
    this.#hangUp();
  }

  /** The head of the answer came. */
  answered(status: number): void {
    this.status = status;
    if (this.#redirected) this.#claimed = false;
  }

  /** The answer breaks off. */
  failed(error: Error): void {
    this.failure = error;
  }

  /** The answer is over; the socket may carry the next request. */
  ended(): void {
    this.#hangUp = () => undefined;
    if (!this.#redirected) this.onEnded();
  }

  get #redirected(): boolean {
    return this.status >= 300 && this.status < 400;
  }
}
