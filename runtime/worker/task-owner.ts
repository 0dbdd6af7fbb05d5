import type { Clock } from "../process/clock.ts";
import type { RunOwner, SessionStore } from "../store/session-store.ts";
import type { Logger } from "../telemetry/log.ts";

/** 5 s between two signs of life (decisions 18); an owner that is silent for 20 s counts as gone. */
const BEAT_MS = 5_000;
/** A process that has its store for itself. */
const LOCAL: RunOwner = { id: "local", url: "local:" };

/** What {@link TaskOwner} needs. */
export interface TaskOwnerDeps {
  readonly sessions: Pick<SessionStore, "heartbeat" | "claimTask">;
  readonly clock: Clock;
  readonly log: Logger;
  /** This process; `local` unless set. */
  readonly owner?: RunOwner;
}

/** Says that this process lives and which tasks it runs. A store that cannot be told is logged, and tasks go on. */
export class TaskOwner {
  readonly #deps: TaskOwnerDeps;
  readonly #owner: RunOwner;
  #known: Promise<void> | undefined;
  #disarm: (() => void) | undefined;
  #stopped = false;

  constructor(deps: TaskOwnerDeps) {
    this.#deps = deps;
    this.#owner = deps.owner ?? LOCAL;
  }

  /**
   * Beats every 5 s until {@link stop}.
   *
   * @param also - Done after each beat; its failure is logged.
   */
  async start(also: () => Promise<void>): Promise<void> {
    this.#known = this.#beat();
    await this.#known;
    this.#next(also);
  }

  /** Makes this process the one that runs a task. */
  async claim(taskId: string): Promise<void> {
    const { sessions, log } = this.#deps;
    try {
      this.#known ??= this.#beat();
      await this.#known;
      await sessions.claimTask(taskId, this.#owner.id);
    } catch (error) {
      this.#known = undefined; // the store may have forgotten this process: the next claim introduces it again
      log.warn("task could not be claimed", { task: taskId, error: String(error) });
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#disarm?.();
  }

  #next(also: () => Promise<void>): void {
    if (this.#stopped) return;
    this.#disarm = this.#deps.clock.schedule(BEAT_MS, () => {
      void this.#tick(also);
    });
  }

  async #tick(also: () => Promise<void>): Promise<void> {
    await this.#beat();
    try {
      if (!this.#stopped) await also();
    } catch (error) {
      this.#deps.log.warn("periodic work failed", { error: String(error) });
    }
    this.#next(also);
  }

  async #beat(): Promise<void> {
    try {
      await this.#deps.sessions.heartbeat(this.#owner);
    } catch (error) {
      this.#deps.log.warn("heartbeat could not be stored", { error: String(error) });
    }
  }
}
