import { join } from "node:path";
import { AGENT_FILES } from "../../api/agent-files/names.ts";
import { trustedProxy, unsecure } from "../../process/auth/authenticators.ts";
import type { Authenticator } from "../../process/auth/identity.ts";
import { fileKeys } from "../../process/auth/key-source.ts";
import { peers } from "../../process/auth/peers.ts";
import { keyedServices } from "../../process/auth/service-verifier.ts";
import type { Clock } from "../../process/clock.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { WorkerSettings } from "./settings.ts";

/** Who calls where nobody is asked and nobody says so. */
const DEFAULT_USER = "admin@kagent.dev";
const LOOPBACK: ReadonlySet<string> = new Set(["127.0.0.1", "::1", "localhost"]);

/** What an authenticator stands on. */
export interface AuthenticationDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Who calls a worker (decisions 15): services by their ServiceAccount tokens, which the cluster's public keys in the
 * agent's own Secret verify; users as the controller names them.
 *
 * Nobody is asked only where that is said, or where nobody but this machine is served.
 */
export function workerAuthenticator(
  settings: Pick<WorkerSettings, "auth" | "host" | "folders" | "trustedCallers">,
  { clock, log }: AuthenticationDeps,
): Authenticator {
  const { host, folders, trustedCallers } = settings;
  const auth = settings.auth ?? (LOOPBACK.has(host) ? "local" : "token");
  if (auth !== "token") {
    const from = auth === "local" ? "loopback" : "anywhere";
    if (from === "anywhere") log.warn("callers are not authenticated", { host });
    return unsecure({ defaultUser: DEFAULT_USER, from });
  }
  const services = keyedServices({
    keys: fileKeys(join(folders[0] ?? ".", AGENT_FILES.jwks), clock),
    clock,
  });
  const trusted = new Set(trustedCallers);
  return trustedProxy({
    services: { principal: (token, signal) => services.verify(token, signal) },
    trusts: ({ name }) => trusted.has(name),
    peers: peers([]),
    log,
  });
}
