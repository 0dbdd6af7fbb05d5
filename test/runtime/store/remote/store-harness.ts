import { Hono } from "hono";
import type { ObjectRef } from "../../../../runtime/api/names.ts";
import { type Clock, systemClock } from "../../../../runtime/process/clock.ts";
import { openStore, type Store } from "../../../../runtime/store/open-store.ts";
import { STORE_PATH } from "../../../../runtime/store/remote/protocol.ts";
import {
  RemoteSessionStore,
  type RemoteStoreDeps,
} from "../../../../runtime/store/remote/remote-session-store.ts";
import {
  type SessionRoutesOptions,
  sessionRoutes,
} from "../../../../runtime/store/remote/session-routes.ts";
import { type Logger, silentLog } from "../../../../runtime/telemetry/log.ts";
import { serveApp, type TestServer } from "../../../support/a2a-server.ts";

export const AGENT: ObjectRef = { namespace: "kagent", name: "cluster-agent" };

/** A store behind HTTP on loopback, and a worker's side of it. */
export interface RemoteHarness {
  readonly store: Store;
  readonly server: TestServer;
  readonly remote: RemoteSessionStore;
  /** What the network does to the next requests, first one first; then nothing. */
  readonly faults: Fault[];
  /** Calls that reached the network, by name. */
  readonly calls: string[];
  /** While true no request arrives. */
  down: boolean | "silent";
  readonly lines: string[];
  close(): Promise<void>;
}

/** `silent`: the request does not arrive, and nobody says so; `lost`: the request does not arrive; `unanswered`: it does, its answer not; else an HTTP status in its place. */
export type Fault = "silent" | "lost" | "unanswered" | number;

export interface HarnessOptions {
  readonly clock?: Clock;
  readonly storeDeps?: Parameters<typeof openStore>[0] extends infer T ? Partial<T> : never;
  readonly mayServe?: SessionRoutesOptions["mayServe"];
  readonly deps?: Partial<RemoteStoreDeps>;
}

export async function remoteHarness(options: HarnessOptions = {}): Promise<RemoteHarness> {
  const store = await openStore({ path: ":memory:", ...options.storeDeps });
  const app = new Hono();
  app.route(
    STORE_PATH,
    sessionRoutes({
      sessions: store.sessions,
      mayServe: options.mayServe ?? (() => true),
      log: silentLog,
    }),
  );
  const server = await serveApp(app);
  const faults: Fault[] = [];
  const calls: string[] = [];
  const lines: string[] = [];
  const keep = (message: string): void => {
    lines.push(message);
  };
  const log: Logger = { debug: () => {}, info: keep, warn: keep, error: keep };
  const harness: Omit<RemoteHarness, "remote"> = {
    store,
    server,
    faults,
    calls,
    lines,
    down: false,
    async close() {
      await remote.close(AbortSignal.abort());
      await server.close();
      await store.close();
    },
  };
  const remote = new RemoteSessionStore({
    url: server.url,
    token: () => Promise.resolve("t"),
    clock: options.clock ?? systemClock,
    random: () => 0,
    log,
    async fetch(input, init) {
      calls.push(new Request(input).url.split("/").at(-1) ?? "");
      const { down } = harness;
      const fault = down === false ? faults.shift() : down === true ? "lost" : down;
      if (fault === "silent") return await unanswered(init?.signal);
      if (fault === "lost") throw new TypeError("fetch failed", { cause: refused() });
      if (typeof fault === "number") return new Response("{}", { status: fault });
      const response = await fetch(input, init);
      if (fault !== "unanswered") return response;
      await response.text();
      throw new TypeError("terminated");
    },
    ...options.deps,
  });
  return Object.assign(harness, { remote });
}

/** Ends with the signal alone. */
function unanswered(signal: AbortSignal | null | undefined): Promise<Response> {
  return new Promise((_, reject) => {
    signal?.addEventListener("abort", () => {
      reject(signal.reason as Error);
    });
  });
}

function refused(): Error {
  return Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
}
