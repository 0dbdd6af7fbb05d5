import assert from "node:assert/strict";
import type { ToolServerSettings } from "../../../runtime/api/agent-config.ts";
import { ToolServerError } from "../../../runtime/mcp/tool-server-error.ts";
import type { Logger } from "../../../runtime/telemetry/log.ts";

/** A signal that does not abort. */
export const never = new AbortController().signal;

/** Lets everything that is ready run. */
export const macrotask = () => new Promise((resolve) => setImmediate(resolve));

/** A log that keeps its lines. */
export class LogLines {
  readonly lines: {
    readonly message: string;
    readonly fields: Readonly<Record<string, unknown>>;
  }[] = [];
  readonly #add = (message: string, fields: Readonly<Record<string, unknown>> = {}) =>
    void this.lines.push({ message, fields });
  readonly log: Logger = { debug: this.#add, info: this.#add, warn: this.#add, error: this.#add };

  /** The messages alone. */
  get messages(): string[] {
    return this.lines.map(({ message }) => message);
  }
}

/** A server as an agent's configuration has it. */
export function settings(url: string, over: Partial<ToolServerSettings> = {}): ToolServerSettings {
  return {
    ref: { namespace: "kagent", name: "peer" },
    url,
    protocol: "STREAMABLE_HTTP",
    timeoutMs: 30_000,
    sseReadTimeoutMs: 300_000,
    terminateOnClose: true,
    headers: {},
    ...over,
  };
}

/** Checks a {@link ToolServerError}, for `assert.rejects`. */
export function failsWith(expected: { code: string; retryable?: boolean; message?: RegExp }) {
  return (error: unknown) => {
    assert.ok(error instanceof ToolServerError, String(error));
    assert.equal(error.code, expected.code, error.message);
    assert.equal(error.server, "kagent/peer");
    if (expected.retryable !== undefined) assert.equal(error.retryable, expected.retryable);
    if (expected.message !== undefined) assert.match(error.message, expected.message);
    return true;
  };
}
