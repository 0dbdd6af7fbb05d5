import type { Service } from "../../process/service.ts";
import type { AdmissionDeps } from "../admission/admit.ts";
import { workloadCheck } from "../admission/check-workload.ts";
import { webhookService } from "../admission/webhook-service.ts";
import type { Controller } from "../controller.ts";
import { beat } from "./beat.ts";
import type { ControllerParts } from "./controller-parts.ts";

/** 5 s between looks whether the API server knows of the webhook; it is told once. */
const REGISTER_MS = 5_000;
/** 10 s to tell it. */
const REQUEST_MS = 10_000;

/** What judges objects before they are stored: every replica knows all of them. */
export function admissionDeps(
  { cluster, log, settings }: ControllerParts,
  { directory }: Pick<Controller, "directory">,
): AdmissionDeps {
  const { delivery, settings: pods } = settings.workloads;
  return {
    objects: () => directory.objects(),
    namespaceLabels: () => directory.namespaceLabels,
    checkWorkload: workloadCheck({
      cluster,
      // which bundle it is makes no difference to whether the pod can be
      settings: () => ({
        ...pods,
        delivery:
          delivery.kind === "image"
            ? delivery
            : { kind: "bundle", nodeImage: delivery.nodeImage, configMapName: "worker" },
      }),
      log,
    }),
  };
}

/** The admission webhook on every replica; the leader tells the API server of it. */
export function webhook(
  parts: ControllerParts,
  controller: Pick<Controller, "directory" | "isLeader">,
): readonly Service[] {
  const { settings, cluster, clock, log, signal } = parts;
  if (settings.webhook === undefined) return [];
  const { listen, options } = settings.webhook;
  const admission = admissionDeps(parts, controller);
  const server = webhookService({ cluster, webhook: options, admission, ...listen, clock, log });
  const register = async (): Promise<void> => {
    if (!controller.isLeader) return;
    await server.register(AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]));
  };
  return [server, beat("webhook registration", REGISTER_MS, register, { clock, log })];
}
