import type { Cluster } from "../../api/cluster.ts";
import type { Clock } from "../../process/clock.ts";
import type { Store } from "../../store/open-store.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { ScrapedMeter } from "../../telemetry/meter.ts";
import type { AgentAddress } from "../proxy/agent-address.ts";
import type { ControllerSettings } from "./settings.ts";

/** What a controller's process is made of. */
export interface ControllerParts {
  readonly settings: ControllerSettings;
  readonly cluster: Cluster;
  readonly store: Store;
  readonly meter: ScrapedMeter;
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: { readonly version: string; readonly commit: string };
  /** Keys that prove callers to workers, as they are now. */
  readonly jwks: () => object | undefined;
  /** Where agents are; their Services unless set. */
  readonly address?: AgentAddress;
  /** Aborts when the process ends. */
  readonly signal: AbortSignal;
}
