import { type FSWatcher, watch } from "node:fs";
import type { Clock } from "../../process/clock.ts";
import type { Logger } from "../../telemetry/log.ts";

/** 50 ms of quiet before a change is read: the kubelet makes several of one. */
const QUIET_MS = 50;
/** 5 s between looks, for file systems without events and for a folder that was replaced. */
const POLL_MS = 5_000;

/** What a {@link FolderWatch} needs. */
export interface FolderWatchDeps {
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * Calls when something in a folder may have changed: by events of the file system, and every 5 s in any case.
 *
 * Calls never overlap; what changes during one leads to another.
 */
export class FolderWatch {
  readonly #path: string;
  readonly #look: () => Promise<void>;
  readonly #deps: FolderWatchDeps;
  #watcher: FSWatcher | undefined;
  #disarm: (() => void) | undefined;
  #looking = false;
  #again = false;
  #stopped = false;

  /** @param look - Reads the folder; never rejects. */
  constructor(path: string, look: () => Promise<void>, deps: FolderWatchDeps) {
    this.#path = path;
    this.#look = look;
    this.#deps = deps;
  }

  start(): void {
    this.#listen("warn");
    this.#schedule(POLL_MS);
  }

  stop(): void {
    this.#stopped = true;
    this.#disarm?.();
    this.#watcher?.close();
  }

  #listen(level: "warn" | "debug"): void {
    try {
      const watcher = watch(this.#path, { persistent: false }, (event, name) => {
        // The folder itself was moved or removed: its events are those of a folder that nobody reads.
        if (event === "rename" && name !== null && this.#path.endsWith(`/${name}`)) this.#forget();
        this.#schedule(QUIET_MS);
      });
      watcher.on("error", () => {
        this.#forget();
      });
      this.#watcher = watcher;
    } catch (error) {
      this.#deps.log[level]("folder cannot be watched; it is looked at every 5 s", {
        folder: this.#path,
        error: String(error),
      });
    }
  }

  #forget(): void {
    this.#watcher?.close();
    this.#watcher = undefined;
  }

  #schedule(ms: number): void {
    if (this.#stopped) return;
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#disarm?.();
    this.#disarm = this.#deps.clock.schedule(ms, () => {
      void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#looking = true;
    this.#again = false;
    if (this.#watcher === undefined) this.#listen("debug");
    await this.#look();
    this.#looking = false;
    this.#schedule(this.#changedMeanwhile() ? QUIET_MS : POLL_MS);
  }

  #changedMeanwhile(): boolean {
    return this.#again;
  }
}
