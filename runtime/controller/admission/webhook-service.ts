import { createServer, type Server } from "node:https";
import { getRequestListener } from "@hono/node-server";
import type { Cluster } from "../../api/cluster.ts";
import type { Clock } from "../../process/clock.ts";
import { ListenError } from "../../process/http.ts";
import type { Service } from "../../process/service.ts";
import type { Logger } from "../../telemetry/log.ts";
import { admissionApp } from "./admission-app.ts";
import type { AdmissionDeps } from "./admit.ts";
import { registerWebhook, type WebhookOptions, webhookCertificate } from "./webhook-setup.ts";

/** 30 s for the Secret at the start. */
const SETUP_MS = 30_000;
/** An hour between looks at the certificate: it is renewed a month before its end. */
const RENEW_MS = 3_600_000;
/** Answers under way when the process stops. */
const DRAIN_MS = 5_000;

/** What {@link webhookService} needs. */
export interface WebhookServiceOptions {
  readonly cluster: Cluster;
  readonly webhook: WebhookOptions;
  readonly admission: AdmissionDeps;
  /** Interface and port to listen on. */
  readonly host: string;
  readonly port: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The webhook as a service; it runs on every replica, each with the certificate of the Secret. */
export interface WebhookService extends Service {
  /** Tells the API server of it, again when the certificate is another one; for the leader, now and then. */
  register(signal: AbortSignal): Promise<void>;
}

/** Serves the webhook over TLS with a certificate that it makes and renews itself (decisions 21). */
export function webhookService(options: WebhookServiceOptions): WebhookService {
  const { cluster, webhook, clock, log } = options;
  let server: Server | undefined;
  let authority = "";
  let registered = "";
  let cancel: () => void = () => undefined;
  const renew = async (signal: AbortSignal): Promise<void> => {
    const made = await webhookCertificate(cluster, webhook, clock, signal);
    if (made.authority === authority) return;
    authority = made.authority;
    server?.setSecureContext({ cert: made.certificate, key: made.key });
  };
  const renewLater = (lifetime: AbortSignal): void => {
    cancel = clock.schedule(RENEW_MS, () => {
      const limit = AbortSignal.any([lifetime, AbortSignal.timeout(SETUP_MS)]);
      renew(limit)
        .catch((error: unknown) => {
          if (!lifetime.aborted)
            log.error("webhook certificate could not be renewed", { error: String(error) });
        })
        .finally(() => {
          if (!lifetime.aborted) renewLater(lifetime);
        });
    });
  };
  return {
    name: "admission webhook",
    async start(signal) {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(SETUP_MS)]);
      const app = admissionApp(options.admission);
      const answer = getRequestListener(app.fetch);
      server = createServer((request, response) => void answer(request, response));
      await renew(limit);
      await listen(server, options);
      renewLater(signal);
    },
    async stop() {
      cancel();
      if (server !== undefined) await close(server);
    },
    async register(signal) {
      if (registered === authority) return;
      await registerWebhook(cluster, webhook, authority, signal);
      registered = authority;
    },
  };
}

function listen(server: Server, { host, port }: WebhookServiceOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const address = { name: "admission webhook", host, port };
      reject(new ListenError(address, error.code ?? "unknown", { cause: error }));
    });
    server.listen(port, host, resolve);
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      server.closeAllConnections();
    }, DRAIN_MS);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
