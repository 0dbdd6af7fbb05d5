import { randomUUID } from "node:crypto";
import { A2aClient } from "../a2a/client.ts";
import type { AgentDirectory } from "../controller/agent-directory.ts";
import type { McpClientPool } from "../mcp/client-pool.ts";
import { systemClock } from "../process/clock.ts";
import type { Store } from "../store/open-store.ts";
import type { Logger } from "../telemetry/log.ts";
import type { Meter } from "../telemetry/meter.ts";
import { TokenRatios } from "../worker/context/token-ratios.ts";
import { observedDeps } from "../worker/observed/observed-deps.ts";
import { TurnObserver } from "../worker/observed/turn-observer.ts";
import { Tasks, type TasksDeps } from "../worker/tasks.ts";
import { toolClient } from "../worker/tool-client.ts";
import type { LocalModel } from "./local-model.ts";

/** What the worker of a local run stands on. */
export interface LocalTasksDeps {
  readonly store: Store;
  readonly directory: AgentDirectory;
  readonly model: LocalModel;
  readonly pool: McpClientPool;
  readonly meter: Meter;
  readonly log: Logger;
}

/** The worker of a local run: all agents in this process, counted and traced as in a cluster. */
export function localTasks(deps: LocalTasksDeps): Tasks {
  const { store, directory, model, pool, meter, log } = deps;
  const { embedding } = model;
  const own: TasksDeps = {
    sessions: store.sessions,
    approvals: store.approvals,
    config: (ref) => directory.config(ref),
    model: model.open,
    tools: toolClient(pool),
    agents: new A2aClient({ clock: systemClock, log }),
    tokenRatios: new TokenRatios(),
    clock: systemClock,
    newId: randomUUID,
    random: Math.random,
    log,
    ...(embedding === undefined ? {} : { embedding, memories: store.agentMemories }),
  };
  return new Tasks({ ...observedDeps(own, meter), observer: new TurnObserver(meter, systemClock) });
}
