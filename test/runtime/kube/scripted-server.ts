import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { ChosenCluster } from "../../../runtime/kube/credentials.ts";

/** A request that the server got. */
interface ScriptedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingMessage["headers"];
  readonly body: string;
}

/** An HTTP server on loopback that answers what a test says. */
export interface ScriptedServer {
  readonly requests: ScriptedRequest[];
  /** For `KubeCluster`; credentials are `Bearer token-<n>`, where n counts how often they were loaded. */
  readonly cluster: ChosenCluster;
  answer: (request: ScriptedRequest, response: ServerResponse, raw: IncomingMessage) => void;
  stop(): Promise<void>;
}

/** Starts one on a free port. */
export async function startScriptedServer(): Promise<ScriptedServer> {
  const server = createServer((raw, response) => {
    const chunks: Buffer[] = [];
    raw.on("data", (chunk: Buffer) => chunks.push(chunk));
    raw.on("error", () => undefined);
    raw.on("end", () => {
      const url = new URL(raw.url ?? "/", "http://server");
      const request = {
        method: raw.method ?? "",
        path: url.pathname,
        query: Object.fromEntries(url.searchParams),
        headers: raw.headers,
        body: Buffer.concat(chunks).toString("utf8"),
      };
      scripted.requests.push(request);
      scripted.answer(request, response, raw);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  let loads = 0;
  const scripted: ScriptedServer = {
    requests: [],
    cluster: {
      context: "scripted",
      server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      load: async () => {
        const authorization = `Bearer token-${++loads}`;
        return async () => ({ headers: { authorization } });
      },
    },
    answer: (_request, response) => {
      response.writeHead(404).end();
    },
    stop: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return scripted;
}

/** Answers with JSON. */
export function json(response: ServerResponse, body: unknown, code = 200): void {
  response.writeHead(code, { "content-type": "application/json" }).end(JSON.stringify(body));
}

/** Answers with a Status, as the API server does on failure. */
export function statusAnswer(
  response: ServerResponse,
  code: number,
  more: Readonly<Record<string, unknown>> = {},
): void {
  json(
    response,
    { kind: "Status", apiVersion: "v1", message: `status ${code}`, code, ...more },
    code,
  );
}
