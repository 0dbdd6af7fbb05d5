import type { Clock } from "../../process/clock.ts";
import type { Service } from "../../process/service.ts";
import type { Logger } from "../../telemetry/log.ts";

/** What a {@link beat} needs. */
export interface BeatDeps {
  readonly clock: Clock;
  readonly log: Logger;
  /** `awaited`: what starts afterwards builds on it; unset: it is done on the side. */
  readonly first?: "awaited";
}

/**
 * Work that is done again and again until the process stops: first at the start, then so many milliseconds after it was
 * done. A failure is logged, and the next time comes all the same.
 */
export function beat(
  name: string,
  everyMs: number,
  work: () => Promise<void>,
  { clock, log, first }: BeatDeps,
): Service {
  let disarm = (): void => undefined;
  let under: Promise<void> = Promise.resolve();
  let stopped = false;
  const once = async (): Promise<void> => {
    try {
      await work();
    } catch (error) {
      log.warn("periodic work failed", { work: name, error: String(error) });
    }
    if (stopped) return;
    disarm = clock.schedule(everyMs, () => {
      under = once();
    });
  };
  return {
    name,
    async start() {
      under = once();
      if (first === "awaited") await under;
    },
    async stop() {
      stopped = true;
      disarm();
      await under;
    },
  };
}
