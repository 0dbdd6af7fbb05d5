import { randomUUID } from "node:crypto";

type Json = Readonly<Record<string, unknown>>;

/** An answer as its receiver keeps it. */
export interface Answer {
  readonly where: string;
  readonly status: number;
  readonly text: string;
}

/** Task and context of an answer to `message/send`. */
export interface SentTask {
  readonly taskId: string;
  readonly contextId: string;
  readonly state: string;
  readonly text: string;
}

/** Somebody who asks a platform over HTTP and A2A, and keeps every answer. */
export class Visitor {
  readonly answers: Answer[] = [];
  readonly #base: string;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(base: string, token: string, headers: Readonly<Record<string, string>> = {}) {
    this.#base = base;
    this.#headers = { authorization: `Bearer ${token}`, ...headers };
  }

  async get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return await this.#keep(path, { headers: { ...this.#headers, ...headers } });
  }

  async post(path: string, body: unknown): Promise<Answer> {
    const headers = { ...this.#headers, "content-type": "application/json" };
    return await this.#keep(path, { method: "POST", headers, body: JSON.stringify(body) });
  }

  /** Asks an agent and waits for its answer. */
  async ask(agent: string, text: string): Promise<SentTask> {
    return await this.send(agent, [{ kind: "text", text }]);
  }

  async send(agent: string, parts: readonly object[], ids: object = {}): Promise<SentTask> {
    const message = { kind: "message", role: "user", messageId: randomUUID(), parts, ...ids };
    const { text } = await this.rpc(agent, "message/send", { message });
    const { result } = JSON.parse(text) as { result?: Json };
    const { id = "", contextId = "", status } = (result ?? {}) as Record<string, string>;
    const { state = "" } = (status ?? {}) as unknown as Record<string, string>;
    return { taskId: id, contextId, state, text };
  }

  async rpc(agent: string, method: string, params: unknown): Promise<Answer> {
    const body = { jsonrpc: "2.0", id: 1, method, params };
    return await this.post(`/api/a2a/kagent/${agent}/`, body);
  }

  /** Asks an agent and reads the stream of what it does to its end. */
  async stream(agent: string, text: string): Promise<Answer> {
    const parts = [{ kind: "text", text }];
    const message = { kind: "message", role: "user", messageId: randomUUID(), parts };
    return await this.rpc(agent, "message/stream", { message });
  }

  async #keep(path: string, init: RequestInit): Promise<Answer> {
    const url = path.startsWith("http") ? path : `${this.#base}${path}`;
    const response = await fetch(url, { ...init, signal: AbortSignal.timeout(10_000) });
    const headers = JSON.stringify([...response.headers]);
    const text = await response.text();
    const { status } = response;
    this.answers.push({ where: `${init.method ?? "GET"} ${path}`, status, text: headers + text });
    return { where: path, status, text };
  }
}
