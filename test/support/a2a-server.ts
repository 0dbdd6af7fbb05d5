import type { Server } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import type { Hono } from "hono";
import type { CardSource } from "../../runtime/a2a/card.ts";
import { type A2aAppOptions, a2aApp } from "../../runtime/a2a/http.ts";
import type { TaskService } from "../../runtime/a2a/task-service.ts";
import { refKey } from "../../runtime/api/names.ts";
import { silentLog } from "../../runtime/telemetry/log.ts";
import { agent, STANDARD_AGENTS } from "./standard-agents.ts";

/** A server on a real socket of loopback. */
export interface TestServer {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  /** Connections made so far. */
  readonly connections: () => number;
  /** Connections that are open. */
  readonly open: () => number;
  /** Resolves once `open() <= count`; what hangs fails by the test's time limit. */
  settled(count: number): Promise<void>;
  /** Destroys every connection, as a crash does; the server goes on. */
  cut(): void;
  close(): Promise<void>;
}

/** Serves an app on a free port. */
export async function serveApp(app: Pick<Hono, "fetch">): Promise<TestServer> {
  const server = createAdaptorServer({ fetch: app.fetch }) as Server;
  const sockets = new Set<Socket>();
  const waiting = new Set<() => void>();
  let connections = 0;
  server.on("connection", (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.once("close", () => {
      sockets.delete(socket);
      for (const look of [...waiting]) look();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => connections,
    open: () => sockets.size,
    settled: (count) =>
      new Promise((resolve) => {
        const look = (): void => {
          if (sockets.size > count) return;
          waiting.delete(look);
          resolve();
        };
        waiting.add(look);
        look();
      }),
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

/** Public side of a test agent. */
export function card(name: string): CardSource {
  return {
    ref: agent(name),
    description: `the agent ${name}`,
    version: "1.2.3",
    skills: [
      { id: "s1", name: "Skill", description: "does things", tags: ["test"], examples: ["do it"] },
    ],
  };
}

const CARDS = new Map(
  [...Object.keys(STANDARD_AGENTS), "kagent/two-words"].map((key) => {
    const name = key.split("/")[1] ?? "";
    return [key, card(name)];
  }),
);

/** Serves the standard agents over A2A; the user is who `x-user-id` says, else `ann`. */
export function serveAgents(
  tasks: TaskService,
  options: Partial<A2aAppOptions> = {},
): Promise<TestServer> {
  return serveApp(
    a2aApp({
      agents: (ref) => CARDS.get(refKey(ref)),
      tasks,
      caller: (request) => ({ user: request.headers.get("x-user-id") ?? "ann", headers: {} }),
      baseUrl: "http://agents.example",
      log: silentLog,
      ...options,
    }),
  );
}

/** One server-sent event. */
export interface SseEvent {
  readonly event: string;
  readonly data: unknown;
}

/** Reads an event stream; comments come as events named `comment`. */
export async function* readSse(response: Response): AsyncGenerator<SseEvent, void, undefined> {
  let buffer = "";
  const decoder = new TextDecoder();
  for await (const chunk of response.body as ReadableStream<Uint8Array>) {
    buffer += decoder.decode(chunk, { stream: true });
    for (let end = buffer.indexOf("\n\n"); end >= 0; end = buffer.indexOf("\n\n")) {
      const block = buffer.slice(0, end);
      buffer = buffer.slice(end + 2);
      if (block.startsWith(":")) yield { event: "comment", data: block.slice(1).trim() };
      else {
        const field = (name: string) => new RegExp(`^${name}: (.*)$`, "m").exec(block)?.[1];
        yield { event: field("event") ?? "message", data: JSON.parse(field("data") ?? "null") };
      }
    }
  }
}
