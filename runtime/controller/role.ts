import { roleCluster } from "../kube/in-cluster.ts";
import { issuerKeys } from "../kube/issuer-keys.ts";
import { KubeCluster } from "../kube/kube-cluster.ts";
import { systemClock } from "../process/clock.ts";
import { runServices, type Service } from "../process/service.ts";
import { openStore } from "../store/open-store.ts";
import { jsonLog, type Logger } from "../telemetry/log.ts";
import { prometheusMeter } from "../telemetry/meter.ts";
import { startTracing } from "../telemetry/otel.ts";
import { beat } from "./role/beat.ts";
import { ControllerProcess } from "./role/controller-process.ts";
import { controllerSettings } from "./role/settings.ts";

/** An hour between looks at the cluster's keys, which change with years; the first look is at the start. */
const KEYS_MS = 3_600_000;
/** 30 s for the keys. */
const KEYS_TIMEOUT_MS = 30_000;
/** 2 s beyond the drain: whoever does not keep to it is left behind. */
const SLACK_MS = 2_000;

/**
 * Runs a controller until `signal` aborts. Any number may run side by side on one Postgres; with LEADER_ELECT one of
 * them reconciles, and all of them serve.
 *
 * @param env - kagent-api section 4; what is not known there is ignored.
 * @returns Exit code: 0 after a clean drain.
 * @throws SettingsError naming every variable that is wrong; ClusterError, StoreFileError, StoreDatabaseError.
 */
export async function runController(
  signal: AbortSignal,
  env: Readonly<Record<string, string | undefined>>,
): Promise<number> {
  const settings = controllerSettings(env);
  const log = jsonLog({ base: { process: "controller" }, level: settings.logLevel });
  const { kubeconfig } = settings;
  const chosen = await roleCluster(
    env,
    kubeconfig === undefined ? undefined : { path: kubeconfig },
  );
  const cluster = new KubeCluster(chosen);
  const tracing = await startTracing("kagent-controller", env);
  const store = await openStore(settings.store);
  const keys = clusterKeys(() => issuerKeys(chosen, keysSignal(signal)), log);
  try {
    const process = new ControllerProcess({
      settings,
      cluster,
      store,
      meter: await prometheusMeter(),
      clock: systemClock,
      log,
      version: {
        version: env["npm_package_version"] ?? "0.1.0",
        commit: env["GIT_COMMIT"] ?? "unknown",
      },
      jwks: keys.current,
      signal,
    });
    const services = [keys.service, ...process.services];
    return await runServices(services, { log, signal, drainMs: settings.drainMs + SLACK_MS });
  } finally {
    await store.close();
    cluster.close();
    await tracing?.stop();
  }
}

/** The cluster's public keys, read now and then; without them workers trust nobody, and the log says why. */
function clusterKeys(
  read: () => Promise<object>,
  log: Logger,
): { readonly service: Service; readonly current: () => object | undefined } {
  let keys: object | undefined;
  const look = async (): Promise<void> => {
    keys = await read();
  };
  // The first Secrets that are written should have them.
  const deps = { clock: systemClock, log, first: "awaited" } as const;
  return { current: () => keys, service: beat("cluster keys", KEYS_MS, look, deps) };
}

function keysSignal(signal: AbortSignal): AbortSignal {
  return AbortSignal.any([signal, AbortSignal.timeout(KEYS_TIMEOUT_MS)]);
}
