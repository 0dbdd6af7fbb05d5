import { randomUUID } from "node:crypto";
import { A2aClient } from "../../../../runtime/a2a/client.ts";
import { refKey } from "../../../../runtime/api/names.ts";
import type { AgentEntry } from "../../../../runtime/controller/agent-directory.ts";
import type { NodeBindings } from "../../../../runtime/controller/proxy/a2a-proxy.ts";
import {
  AgentFront,
  type AgentFrontDeps,
} from "../../../../runtime/controller/proxy/agent-front.ts";
import { unsecure } from "../../../../runtime/process/auth/authenticators.ts";
import { type Authenticator, authRequestOf } from "../../../../runtime/process/auth/identity.ts";
import type { Clock } from "../../../../runtime/process/clock.ts";
import { systemClock } from "../../../../runtime/process/clock.ts";
import { type HttpService, httpService } from "../../../../runtime/process/http.ts";
import { openStore, type Store } from "../../../../runtime/store/open-store.ts";
import { type Logger, silentLog } from "../../../../runtime/telemetry/log.ts";
import { object, parsedAgent, written } from "../kagent-objects.ts";

const lifetime = new AbortController().signal;

/** The user of requests that name none. */
export const USER = "admin@kagent.dev";

/** An Agent of ours that is accepted. */
export function ownAgent(name: string, over: Partial<AgentEntry> = {}): AgentEntry {
  const ref = { namespace: "kagent", name };
  return { ref, object: parsedAgent(name), violations: [], unread: [], ...over };
}

/** An Agent that brings its own worker. */
export function byoAgent(name: string): AgentEntry {
  const spec = { type: "BYO", description: `Is ${name}.`, byo: { deployment: { image: "x" } } };
  const ref = { namespace: "kagent", name };
  return { ref, object: object("Agent", written("Agent", name, spec)), violations: [], unread: [] };
}

/** What a {@link Front} may be made with. */
export interface FrontOptions {
  readonly agents: readonly AgentEntry[];
  /** Base URL of the one worker of all agents; requests go to `/agents/{ns}/{name}/` there. */
  readonly workerUrl: string;
  readonly authenticator?: Authenticator;
  readonly clock?: Clock;
  readonly log?: Logger;
  readonly over?: Partial<AgentFrontDeps>;
}

/** A controller's door to agents, on a real socket, with a store of its own. */
export class Front {
  readonly store: Store;
  readonly front: AgentFront;
  readonly #service: HttpService;
  readonly owner = { id: "controller/1", url: "" };

  private constructor(store: Store, front: AgentFront, service: HttpService) {
    this.store = store;
    this.front = front;
    this.#service = service;
  }

  static async open(options: FrontOptions): Promise<Front> {
    const { workerUrl, clock = systemClock, log = silentLog } = options;
    const authenticator =
      options.authenticator ?? unsecure({ defaultUser: USER, from: "loopback" });
    const entries = new Map(options.agents.map((entry) => [refKey(entry.ref), entry]));
    const store = await openStore({ path: ":memory:" });
    const front = new AgentFront({
      directory: { agent: (ref) => entries.get(refKey(ref)) },
      sessions: store.sessions,
      agents: new A2aClient({ clock, log }),
      address: (ref) => new URL(`${workerUrl}/agents/${refKey(ref)}/`),
      owner: { id: "controller/1", url: "http://127.0.0.1:1" },
      token: { value: () => Promise.resolve("own-token") },
      baseUrl: "http://kagent.example",
      clock,
      newId: randomUUID,
      log,
      ...options.over,
    });
    const fetch = async (_: Request, env: object): Promise<Response> => {
      const bindings = env as NodeBindings;
      const identity = await authenticator.authenticate(authRequestOf(bindings.incoming), lifetime);
      if ("refused" in identity) return Response.json({ error: identity.refused }, identity);
      return await front.handle(bindings, identity);
    };
    const service = httpService(
      { name: "front", host: "127.0.0.1", port: 0 },
      { fetch: fetch as never },
      0,
    );
    await service.start(AbortSignal.timeout(5_000));
    return new Front(store, front, service);
  }

  /** Where an agent answers. */
  url(name: string): string {
    return `http://127.0.0.1:${this.#service.port()}/api/a2a/kagent/${name}/`;
  }

  async close(): Promise<void> {
    await this.front.close();
    await this.#service.stop();
    await this.store.close();
  }

  /** Calls a method of 0.3, or of 1.0 by its header. */
  rpc(
    name: string,
    method: string,
    params: unknown,
    init: { readonly headers?: Record<string, string>; readonly signal?: AbortSignal } = {},
  ): Promise<Response> {
    return fetch(this.url(name), {
      method: "POST",
      headers: { "content-type": "application/json", ...init.headers },
      body: JSON.stringify({ jsonrpc: "2.0", id: 7, method, params }),
      ...(init.signal === undefined ? {} : { signal: init.signal }),
    });
  }
}

/** Parameters of a message of 0.3. */
export function message(text: string, over: Record<string, unknown> = {}): unknown {
  return {
    message: {
      kind: "message",
      role: "user",
      messageId: randomUUID(),
      parts: [{ kind: "text", text }],
      ...over,
    },
  };
}
