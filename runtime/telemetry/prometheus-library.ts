// Loaded on demand as a module of our own: a bundler keeps the names of a CommonJS package only where they are imported.
export { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
