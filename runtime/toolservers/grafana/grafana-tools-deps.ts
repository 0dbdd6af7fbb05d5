import type { Clock } from "../../process/clock.ts";
import type { ObservabilitySource } from "./observability-source.ts";

/** What the Grafana tools need. */
export interface GrafanaToolsDeps {
  /** Where metrics, logs, alerts and dashboards come from. */
  readonly source: ObservabilitySource;
  /** Tells what `now` is. */
  readonly clock: Pick<Clock, "now">;
}
