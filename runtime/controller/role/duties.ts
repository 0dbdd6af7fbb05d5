import { randomUUID } from "node:crypto";
import type { ObjectRef } from "../../api/names.ts";
import type { Service } from "../../process/service.ts";
import type { Store } from "../../store/open-store.ts";
import type { RunOwner } from "../../store/session-store.ts";
import type { Controller } from "../controller.ts";
import { OWNER_SILENT_MS } from "../proxy/a2a-proxy.ts";
import { beat } from "./beat.ts";
import type { ControllerParts } from "./controller-parts.ts";
import { settleApprovals } from "./settle-approvals.ts";

/** 5 s between signs of life, and between looks for those that stopped (decisions 18). */
const BEAT_MS = 5_000;
/** An hour between looks for what is old enough to go. */
const PRUNE_MS = 3_600_000;
/** What a lost task says of itself. */
const LOST = {
  code: "WORKER_LOST",
  message: "worker lost: it ended while the task was running; send it again",
} as const;

/**
 * What a controller does every now and then: says that it lives, and where it leads ends what lost its worker and
 * deletes what nobody used for as long as is kept.
 */
export function duties(
  { store, clock, log, settings }: ControllerParts,
  controller: Pick<Controller, "directory" | "isLeader">,
  owner: RunOwner,
): readonly Service[] {
  const deps = { clock, log };
  const leads = (work: () => Promise<void>) => async (): Promise<void> => {
    if (controller.isLeader) await work();
  };
  const lost = leads(async () => {
    const tasks = await store.sessions.failLostTasks(LOST, OWNER_SILENT_MS);
    if (tasks.length > 0) log.warn("tasks were lost with their workers", { tasks: tasks.length });
    const exists = (agent: ObjectRef) => controller.directory.agent(agent) !== undefined;
    await settleApprovals({ ...store, exists, newId: randomUUID }, clock.now());
  });
  const prune = leads(async () => {
    await store.agentMemories.prune();
    if (settings.retentionDays > 0) await pruneAll(store, settings.retentionDays);
  });
  return [
    beat("heartbeat", BEAT_MS, () => store.sessions.heartbeat(owner), deps),
    beat("lost tasks", BEAT_MS, lost, deps),
    beat("retention", PRUNE_MS, prune, deps),
  ];
}

/** Some at a time, until nothing is left to delete. */
async function pruneAll(store: Pick<Store, "prune">, days: number): Promise<void> {
  while ((await store.prune(days)) > 0);
}
