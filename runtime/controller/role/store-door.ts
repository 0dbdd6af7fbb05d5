import * as z from "zod";
import type { ObjectRef } from "../../api/names.ts";
import {
  AuthUnavailableError,
  type ServiceIdentity,
  type ServiceVerifier,
} from "../../process/auth/identity.ts";
import { unmapped } from "../../process/auth/peers.ts";
import { BodyTooLargeError, readBody } from "../../process/request-body.ts";
import { STORE_PATH } from "../../store/remote/protocol.ts";
import type { Logger } from "../../telemetry/log.ts";

/** What a {@link StoreDoor} needs. */
export interface StoreDoorDeps {
  readonly services: ServiceVerifier;
  /** Whether a service is the one that an agent runs as. */
  readonly runs: (service: ServiceIdentity, agent: ObjectRef) => boolean;
  /** `peer`: workers are where their connections come from; `any`: for meshes that hide that. */
  readonly addresses: "peer" | "any";
  readonly log: Logger;
  /** Aborts when the process ends. */
  readonly signal: AbortSignal;
}

/** 16 KiB of a sign of life: an id and an address. */
const MAX_HEARTBEAT = 16_384;
const Heartbeat = z.looseObject({ url: z.url() });

/**
 * Lets workers to the store by their ServiceAccount tokens, each to what belongs to its agents (decisions 14).
 *
 * A worker may name itself only as where its tasks are: requests about them carry the controller's own token.
 */
export class StoreDoor {
  readonly #deps: StoreDoorDeps;
  readonly #workers = new WeakMap<Request, ServiceIdentity>();

  constructor(deps: StoreDoorDeps) {
    this.#deps = deps;
  }

  /**
   * Answers a request with what `serve` does once its sender is known, else with 401, 403 or 503.
   *
   * @param peer - Address of the other end of the connection.
   */
  async pass(
    request: Request,
    peer: string | undefined,
    serve: (request: Request) => Response | Promise<Response>,
  ): Promise<Response> {
    const token = /^bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
    const { services, signal, log } = this.#deps;
    try {
      const worker = token === undefined ? undefined : await services.verify(token, signal);
      if (worker === undefined)
        return refused(401, "the store is for workers, which prove themselves by their tokens");
      const checked = await this.#checked(request, peer);
      if (checked === undefined)
        return refused(403, "a worker takes requests at its own address and at no other");
      this.#workers.set(checked, worker);
      return await serve(checked);
    } catch (error) {
      if (error instanceof BodyTooLargeError) return refused(413, error.message);
      if (!(error instanceof AuthUnavailableError)) throw error;
      log.error("a token could not be verified", { error: String(error.cause) });
      return refused(503, "tokens cannot be verified at the moment; try again");
    }
  }

  /** Whether the worker that sent `request` runs an agent. */
  mayServe(request: Request, agent: ObjectRef): boolean {
    const worker = this.#workers.get(request);
    return worker !== undefined && this.#deps.runs(worker, agent);
  }

  /** The request, unless it is a sign of life from somewhere else than it says. */
  async #checked(request: Request, peer: string | undefined): Promise<Request | undefined> {
    const isHeartbeat = new URL(request.url).pathname === `${STORE_PATH}/heartbeat`;
    if (!isHeartbeat || this.#deps.addresses === "any") return request;
    const body = await readBody(request, MAX_HEARTBEAT);
    const claimed = hostOf(body);
    if (claimed !== undefined && claimed !== unmapped(peer ?? "")) return undefined;
    return new Request(request.url, { method: request.method, headers: request.headers, body });
  }
}

function refused(status: 401 | 403 | 413 | 503, message: string): Response {
  return Response.json({ error: { name: "Refused", message } }, { status });
}

/** The host that a sign of life names; `undefined` for what is none, which the store refuses. */
function hostOf(body: string): string | undefined {
  try {
    const { url } = Heartbeat.parse(JSON.parse(body));
    return new URL(url).hostname.replaceAll(/[[\]]/g, "");
  } catch {
    return undefined;
  }
}
