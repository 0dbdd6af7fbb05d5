/** Minute in milliseconds. */
export const MINUTE = 60_000;
/** Hour in milliseconds. */
export const HOUR = 60 * MINUTE;
/** Day in milliseconds. */
export const DAY = 24 * HOUR;

/** What is wrong with a workload of the demo cluster. */
export type Fault =
  /** Every replica exits at once: a setting is missing from its ConfigMap. */
  | { readonly kind: "missing-setting"; readonly setting: string; readonly crash: CrashRhythm }
  /** One replica is killed for its memory again and again. */
  | { readonly kind: "out-of-memory"; readonly crash: CrashRhythm }
  /** A new version's image does not exist; the old version still runs. */
  | { readonly kind: "bad-image"; readonly tag: string; readonly sinceMs: number }
  /** No node has room. */
  | { readonly kind: "unschedulable"; readonly sinceMs: number };

/** When a container crashes. */
export interface CrashRhythm {
  /** Crashes before the demo began. */
  readonly before: number;
  /** Time from crash to crash in milliseconds. */
  readonly periodMs: number;
  /** Time from the last crash to the beginning of the demo in milliseconds. */
  readonly lastMs: number;
}

/** Traffic of a workload; metrics and logs follow from it. */
export interface Traffic {
  /** Requests per second of all replicas. */
  readonly perSecond: number;
  /** Share of requests answered with 5xx, 0..1. */
  readonly errorShare: number;
  /** Median latency in seconds; the 95th percentile is about three times as much. */
  readonly medianSeconds: number;
}

/** One workload of the demo cluster: objects, logs, metrics, costs and Git content are all made from this. */
export interface Workload {
  readonly namespace: string;
  readonly name: string;
  readonly kind: "Deployment" | "StatefulSet";
  readonly replicas: number;
  /** Without tag. */
  readonly image: string;
  readonly tag: string;
  readonly port: number;
  /** Cores. */
  readonly cpuRequest: number;
  /** Cores. */
  readonly cpuLimit: number;
  /** As written, e.g. `256Mi`. */
  readonly memoryRequest: string;
  /** As written. */
  readonly memoryLimit: string;
  /** Cores that one replica really uses. */
  readonly cpuUse: number;
  /** MiB that one replica really uses. */
  readonly memoryUseMiB: number;
  /** Age when the demo began, in milliseconds. */
  readonly ageMs: number;
  /** Settings in the ConfigMap `<name>-config`; none: no ConfigMap. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Keys of the Secret `<name>-credentials`, handed in as environment variables. */
  readonly credentials?: readonly string[];
  /** Size of one volume per replica in GiB. */
  readonly volumeGiB?: number;
  readonly traffic?: Traffic;
  /** How it is delivered: a Flux Kustomization, or a Helm release of this chart. */
  readonly delivery:
    | { readonly kind: "kustomization"; readonly name: string }
    | { readonly kind: "helm"; readonly chart: string; readonly version: string };
  readonly fault?: Fault;
}
