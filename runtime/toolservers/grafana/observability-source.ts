/** One value of a metric. */
export interface Sample {
  /** Labels, the metric's name as `__name__` where there is one. */
  readonly labels: Readonly<Record<string, string>>;
  /** Time and value, oldest first; one of them for an instant query. Times in seconds since 1970. */
  readonly values: readonly (readonly [seconds: number, value: string])[];
}

/** One line of a log. */
export interface LogEntry {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** Labels of its stream. */
  readonly labels: Readonly<Record<string, string>>;
  /** As written, without line break. */
  readonly line: string;
}

/** What a LogQL query gives: lines, or samples when it counts. */
export type LogAnswer =
  | { readonly kind: "lines"; readonly entries: readonly LogEntry[] }
  | { readonly kind: "samples"; readonly samples: readonly Sample[] };

/** State of an alert rule; `unknown` where the server says something else. */
export type AlertState = "firing" | "pending" | "inactive" | "unknown";

/** An instance of an alert rule that is not inactive. */
export interface ActiveAlert {
  readonly state: AlertState;
  /** Labels that tell the instances of a rule apart, the rule's own too. */
  readonly labels: Readonly<Record<string, string>>;
  /** RFC 3339; empty when the server does not say. */
  readonly activeAt: string;
  /** What is wrong, for people; empty when the rule has no annotation. */
  readonly summary: string;
}

/** An alert rule with its instances. */
export interface AlertRule {
  /** Folder or file, and group. */
  readonly group: string;
  readonly name: string;
  readonly state: AlertState;
  /** Empty when the rule has none. */
  readonly severity: string;
  readonly query: string;
  readonly alerts: readonly ActiveAlert[];
}

/** A dashboard. */
export interface Dashboard {
  readonly uid: string;
  readonly title: string;
  /** Empty at the top level. */
  readonly folder: string;
  readonly tags: readonly string[];
}

/** A data source. */
export interface DataSource {
  readonly uid: string;
  readonly name: string;
  /** `prometheus`, `loki`, ... */
  readonly type: string;
  readonly isDefault: boolean;
}

/** Which data source, and what to ask it. */
interface SourceQuery {
  /** Identifier or name of a data source; absent: the default one of the fitting type. */
  readonly datasource?: string | undefined;
  /** PromQL or LogQL. */
  readonly query: string;
}

/** A time range in milliseconds since 1970. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Metrics, logs, alerts and dashboards: Grafana, Prometheus and Loki themselves, or demo data.
 *
 * Every method throws ToolFailure with words for the model when it cannot answer, and the signal's reason after
 * an abort.
 */
export interface ObservabilitySource {
  /** First line of every answer, where the data is a stand-in. */
  readonly label?: string;
  /** Shown with an empty result, where the source knows what would have been found. */
  readonly metricNames?: readonly string[];
  /** Evaluates PromQL at a moment. @param query - `at`: milliseconds since 1970. */
  instant(
    query: SourceQuery & { readonly at: number },
    signal: AbortSignal,
  ): Promise<readonly Sample[]>;
  /** Evaluates PromQL over a range. */
  range(
    query: SourceQuery & TimeRange & { readonly stepMs: number },
    signal: AbortSignal,
  ): Promise<readonly Sample[]>;
  /** Log lines of a LogQL query, newest first, at most `limit`. */
  logs(
    query: SourceQuery &
      TimeRange & { readonly limit: number; readonly direction: "backward" | "forward" },
    signal: AbortSignal,
  ): Promise<LogAnswer>;
  /** All alert rules. */
  alertRules(signal: AbortSignal): Promise<readonly AlertRule[]>;
  /** Dashboards whose title or tags have `words`; all without words. */
  dashboards(words: string, signal: AbortSignal): Promise<readonly Dashboard[]>;
  /** Data sources, without their addresses. */
  datasources(signal: AbortSignal): Promise<readonly DataSource[]>;
}
