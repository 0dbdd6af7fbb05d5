import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { A2aClient } from "../../a2a/client.ts";
import type { AgentConfig } from "../../api/agent-config.ts";
import type { ObjectRef } from "../../api/names.ts";
import { McpClientPool } from "../../mcp/client-pool.ts";
import { embeddingModelFor } from "../../model/embedding-factory.ts";
import { chatModelFor } from "../../model/model-factory.ts";
import type { OwnToken } from "../../process/auth/own-token.ts";
import type { Clock } from "../../process/clock.ts";
import type { OutboxState } from "../../store/remote/outbox.ts";
import { RemoteSessionStore } from "../../store/remote/remote-session-store.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { Meter } from "../../telemetry/meter.ts";
import { TokenRatios } from "../context/token-ratios.ts";
import { observedDeps } from "../observed/observed-deps.ts";
import { TurnObserver } from "../observed/turn-observer.ts";
import { Tasks, type TasksDeps } from "../tasks.ts";
import { toolClient } from "../tool-client.ts";
import type { WorkerSettings } from "./settings.ts";

/** What is left of a drain when turns have to end, for their ends to be stored and told. */
const ENDING_MS = 5_000;

/** What a {@link TurnRunner} needs. */
export interface TurnRunnerDeps {
  readonly settings: Pick<WorkerSettings, "controllerUrl" | "ollamaHost" | "drainMs">;
  readonly config: (ref: ObjectRef) => AgentConfig | undefined;
  /** Where this process is reached now. */
  readonly ownUrl: () => string;
  /** Proves this process to the controller and to other agents. */
  readonly token: OwnToken;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where turns, calls and tokens are counted; they are traced as well then. */
  readonly meter?: Meter;
  /** Models, tools: what turns are given in place of this worker's own. */
  readonly turns?: Partial<TasksDeps>;
}

/** The tasks of a worker with all that they need: store, tool servers, models, other agents. */
export class TurnRunner {
  readonly tasks: Tasks;
  readonly #store: RemoteSessionStore;
  readonly #pool: McpClientPool;
  readonly #drainMs: number;

  constructor(deps: TurnRunnerDeps) {
    const { settings, token, clock, log, ownUrl } = deps;
    const { ollamaHost } = settings;
    this.#drainMs = settings.drainMs;
    this.#store = new RemoteSessionStore({
      url: settings.controllerUrl,
      token: () => token.value(),
      clock,
      random: Math.random,
      log,
    });
    this.#pool = new McpClientPool({ log, clock });
    const own: TasksDeps = {
      sessions: this.#store,
      approvals: this.#store.approvals(),
      memories: this.#store.memories(),
      config: deps.config,
      owner: {
        id: `${hostname()}/${randomUUID()}`,
        get url() {
          return ownUrl(); // the port may be one that was free
        },
      },
      model: (model) => chatModelFor(model, { clock, ollamaHost }),
      embedding: (model) => embeddingModelFor(model, { clock, ollamaHost }),
      tools: toolClient(this.#pool),
      agents: new A2aClient({ clock, log, fetch: withToken(token) }),
      tokenRatios: new TokenRatios(),
      clock,
      newId: randomUUID,
      random: Math.random,
      log,
      ...deps.turns,
    };
    this.tasks = new Tasks(deps.meter === undefined ? own : observed(own, deps.meter));
  }

  /** Whether the session store is away, and what waits for it. */
  get store(): OutboxState {
    return this.#store.state;
  }

  /** Takes no more tasks, lets those under way come to their end for a while, and stores what there is to store. */
  async close(signal: AbortSignal): Promise<void> {
    const ended = this.tasks.close(Math.max(0, this.#drainMs - ENDING_MS));
    await Promise.race([ended, aborted(signal)]);
    await this.#store.close(signal);
    await this.#pool.close();
  }
}

function observed(own: TasksDeps, meter: Meter): TasksDeps {
  return { ...observedDeps(own, meter), observer: new TurnObserver(meter, own.clock) };
}

/** `fetch` that proves who this process is to other agents, unless the call says something else (kagent-api section 3.6). */
function withToken(token: OwnToken): typeof fetch {
  return async (input, init) => {
    const headers = new Headers(init?.headers);
    const value = headers.has("authorization") ? undefined : await token.value();
    if (value !== undefined) headers.set("authorization", `Bearer ${value}`);
    return await fetch(input, { ...init, headers });
  };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => {
      resolve();
    });
  });
}
