import { ModelError } from "./chat-model.ts";

/** Where Ollama listens unless told otherwise. */
export const DEFAULT_OLLAMA_HOST = "http://127.0.0.1:11434";

/** An Ollama server as requests need it. */
export interface OllamaEndpoint {
  /** Base URL without credentials and without a slash at its end; fit for people and logs. */
  readonly url: string;
  /** Credentials of the host as a header; empty when it names none. */
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * Reads a host as ModelConfig and `OLLAMA_HOST` spell it: a missing scheme is `http://`, and only then
 * a missing port is 11434.
 *
 * @throws ModelError `rejected`, not retryable, when it is no HTTP address; never with its text, which
 *   may hold a password.
 * @example
 * ollamaEndpoint("gpu-1"); // { url: "http://gpu-1:11434", headers: {} }
 */
export function ollamaEndpoint(host: string): OllamaEndpoint {
  const explicit = /^[a-z]+:\/\//i.test(host);
  const base = host.startsWith(":") ? `127.0.0.1${host}` : host;
  const parsed = URL.parse(explicit ? base : `http://${base}`);
  if (parsed === null || !["http:", "https:"].includes(parsed.protocol) || parsed.hostname === "")
    throw new ModelError("the host of Ollama is not an HTTP address", {
      code: "rejected",
      retryable: false,
    });
  if (!explicit && parsed.port === "" && !/:80(\/|$)/.test(base)) parsed.port = "11434";
  const { username, password } = parsed;
  const path = parsed.pathname.replace(/\/+$/, "");
  return { url: `${parsed.protocol}//${parsed.host}${path}`, headers: basic(username, password) };
}

function basic(username: string, password: string): Readonly<Record<string, string>> {
  if (username === "" && password === "") return {};
  const plain = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(plain).toString("base64")}` };
}
