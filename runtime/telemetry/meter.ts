import type { Counter, Gauge, Histogram, Registry } from "prom-client";
import { type LabelsOf, METRICS, type MetricName, type MetricOf } from "./metric-catalogue.ts";

/** Most characters of a label's value: names of Kubernetes objects and of tools are shorter. */
const MAX_LABEL = 128;
/** Most label sets of one metric; what comes then is counted under `other`. */
const MAX_SERIES = 10_000;

/** Where the runtime counts what happens. */
export interface Meter {
  /** Adds to a counter. */
  count<N extends MetricOf<"counter">>(name: N, labels: LabelsOf<N>, by?: number): void;
  /** Sets a gauge. */
  set<N extends MetricOf<"gauge">>(name: N, labels: LabelsOf<N>, value: number): void;
  /** Adds to a gauge. */
  add<N extends MetricOf<"gauge">>(name: N, labels: LabelsOf<N>, by: number): void;
  /** Forgets one series of a gauge: what it spoke of is gone. */
  forget<N extends MetricOf<"gauge">>(name: N, labels: LabelsOf<N>): void;
  /** Adds a measurement to a histogram. */
  observe<N extends MetricOf<"histogram">>(name: N, labels: LabelsOf<N>, value: number): void;
}

/** Counts nothing. */
export const silentMeter: Meter = {
  count: () => undefined,
  set: () => undefined,
  add: () => undefined,
  forget: () => undefined,
  observe: () => undefined,
};

/** A meter whose counts can be scraped. */
export interface ScrapedMeter extends Meter {
  /** Text of `/metrics`. */
  text(): Promise<string>;
  readonly contentType: string;
}

/**
 * A meter in the format of Prometheus, with the figures of the process.
 *
 * Label sets are bounded: hostile names cannot fill the memory.
 */
export async function prometheusMeter(): Promise<ScrapedMeter> {
  const {
    Counter: Counters,
    collectDefaultMetrics,
    Gauge: Gauges,
    Histogram: Histograms,
    Registry: Metrics,
  } = await import("./prometheus-library.ts");
  const registry = new Metrics();
  collectDefaultMetrics({ register: registry });
  const made: Made = { counters: new Map(), gauges: new Map(), histograms: new Map() };
  for (const [name, spec] of Object.entries(METRICS) as [
    MetricName,
    (typeof METRICS)[MetricName],
  ][]) {
    const { help, labels } = spec;
    const common = { name, help, labelNames: [...labels], registers: [registry] };
    if (spec.type === "counter") made.counters.set(name, new Counters(common));
    else if (spec.type === "gauge") made.gauges.set(name, new Gauges(common));
    else made.histograms.set(name, new Histograms({ ...common, buckets: [...spec.buckets] }));
  }
  return scraped(registry, made);
}

/** Metrics of the registry by name. */
interface Made {
  readonly counters: Map<MetricName, Counter>;
  readonly gauges: Map<MetricName, Gauge>;
  readonly histograms: Map<MetricName, Histogram>;
}

function scraped(registry: Registry, made: Made): ScrapedMeter {
  const series = new Map<MetricName, Set<string>>();
  const bounded = (name: MetricName, labels: Readonly<Record<string, string>>) => {
    const values = Object.entries(labels).map(([key, value]) => [key, value.slice(0, MAX_LABEL)]);
    const key = JSON.stringify(values);
    const known = series.get(name) ?? new Set<string>();
    series.set(name, known);
    if (!known.has(key) && known.size >= MAX_SERIES)
      return Object.fromEntries(values.map(([label]) => [label, "other"])) as Record<
        string,
        string
      >;
    known.add(key);
    return Object.fromEntries(values) as Record<string, string>;
  };
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    count(name, labels, by = 1) {
      made.counters.get(name)?.inc(bounded(name, labels), by);
    },
    set(name, labels, value) {
      made.gauges.get(name)?.set(bounded(name, labels), value);
    },
    add(name, labels, by) {
      made.gauges.get(name)?.inc(bounded(name, labels), by);
    },
    forget(name, labels) {
      const of = bounded(name, labels);
      series.get(name)?.delete(JSON.stringify(Object.entries(of)));
      made.gauges.get(name)?.remove(of);
    },
    observe(name, labels, value) {
      made.histograms.get(name)?.observe(bounded(name, labels), value);
    },
  };
}
