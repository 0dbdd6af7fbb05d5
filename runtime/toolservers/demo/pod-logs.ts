import { type DemoPod, restartsAt } from "./demo-pods.ts";
import { timestamp } from "./pod-objects.ts";
import { MINUTE } from "./workload.ts";

/** One line of a pod's log. */
export interface LogLine {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** `info`, `warn` or `error`; Loki's label `level`. */
  readonly level: "info" | "warn" | "error";
  /** The line as the container wrote it. */
  readonly text: string;
}

/** A pod's log in a time range. */
export interface LogRange {
  /** Milliseconds since 1970, inclusive. */
  readonly from: number;
  /** Milliseconds since 1970, inclusive. */
  readonly to: number;
  /** Milliseconds since 1970 when the demo began. */
  readonly begin: number;
}

/** Seven seconds between two lines of a pod that works. */
const LINE_MS = 7_000;
/** 2000 lines per pod and range: bounds memory; the latest are kept. */
const MAX_LINES = 2_000;

/** What `pod` wrote in `range`, oldest first. */
export function podLog(pod: DemoPod, range: LogRange): readonly LogLine[] {
  const { fault } = pod;
  if (fault?.kind === "bad-image" || fault?.kind === "unschedulable") return [];
  if (fault?.kind === "missing-setting")
    return crashLines(pod, range, missingSetting(fault.setting));
  const worked = workLines(pod, range);
  if (fault === undefined) return worked;
  return [...worked, ...crashLines(pod, range, OUT_OF_MEMORY)].sort((a, b) => a.at - b.at);
}

/** A line at a distance from the crash it belongs to. */
interface CrashLine {
  /** Milliseconds before the crash. */
  readonly beforeMs: number;
  readonly level: LogLine["level"];
  readonly text: string;
}

function missingSetting(setting: string): readonly CrashLine[] {
  return [
    { beforeMs: 1_900, level: "info", text: 'msg="checkout starting" version=3.4.0' },
    { beforeMs: 1_600, level: "info", text: 'msg="configuration read" source=environment keys=4' },
    {
      beforeMs: 900,
      level: "error",
      text: `msg="configuration invalid" error="required setting ${setting} is not set"`,
    },
    {
      beforeMs: 400,
      level: "error",
      text: `fatal: config: ${setting} is not set (expected in ConfigMap checkout-config); exiting with code 1`,
    },
  ];
}

const OUT_OF_MEMORY: readonly CrashLine[] = [
  {
    beforeMs: 200_000,
    level: "info",
    text: 'msg="reconciliation started" batch=50000 source=ledger',
  },
  {
    beforeMs: 95_000,
    level: "warn",
    text: 'msg="heap above 80% of limit" heap=209MiB limit=256MiB',
  },
  {
    beforeMs: 31_000,
    level: "warn",
    text: 'msg="heap above 95% of limit" heap=244MiB limit=256MiB pending_rows=41250',
  },
  {
    beforeMs: 2_000,
    level: "error",
    text: 'msg="request failed" route=/v1/authorize status=503 error="worker busy: reconciliation holds all memory"',
  },
];

function crashLines(
  pod: DemoPod,
  { from, to, begin }: LogRange,
  lines: readonly CrashLine[],
): readonly LogLine[] {
  const found: LogLine[] = [];
  let { last } = restartsAt(pod, to, begin);
  while (last !== undefined && last >= from - 5 * MINUTE && found.length < MAX_LINES) {
    const crash = last;
    found.unshift(
      ...lines.map(({ beforeMs, level, text }) => logLine(crash - beforeMs, level, text)),
    );
    ({ last } = restartsAt(pod, crash - 1, begin));
  }
  return found.filter(({ at }) => at >= from && at <= to);
}

function workLines(pod: DemoPod, { from, to }: LogRange): readonly LogLine[] {
  const start = Math.max(Math.ceil(from / LINE_MS), Math.floor(to / LINE_MS) - MAX_LINES + 1);
  const lines: LogLine[] = [];
  for (let beat = start; beat * LINE_MS <= to; beat += 1) lines.push(workLine(pod, beat));
  return lines;
}

const ROUTES = ["/", "/v1/items", "/v1/search", "/v1/orders"];

function workLine(pod: DemoPod, beat: number): LogLine {
  const { traffic, name, namespace } = pod.workload;
  const at = beat * LINE_MS;
  if (traffic === undefined)
    return logLine(
      at,
      "info",
      `msg="${beat % 8 === 0 ? "checkpoint written" : "still working"}" component=${name}`,
    );
  const dice = draw(`${namespace}/${pod.name}/${beat}`);
  const route = ROUTES[Math.floor(dice * 97) % ROUTES.length] ?? "/";
  const ms = Math.round(traffic.medianSeconds * 1000 * (0.4 + 2.4 * dice * dice));
  if (dice >= traffic.errorShare)
    return logLine(at, "info", `msg="request served" route=${route} status=200 duration_ms=${ms}`);
  return logLine(at, "error", failedRequest(pod.workload.name, ms));
}

function failedRequest(name: string, ms: number): string {
  const upstream: Readonly<Record<string, string>> = {
    storefront:
      'route=/v1/orders status=503 upstream=checkout.shop.svc:8080 error="connect: connection refused"',
    "ingress-controller":
      'route=shop.example.com/v1/orders status=503 upstream=storefront error="upstream answered 503"',
    "payment-gateway": 'route=/v1/authorize status=503 error="worker restarting"',
  };
  const detail = upstream[name] ?? 'route=/ status=500 error="upstream timed out"';
  return `msg="request failed" ${detail} duration_ms=${ms}`;
}

function logLine(at: number, level: LogLine["level"], text: string): LogLine {
  return { at, level, text: `${timestamp(at)} level=${level} ${text}` };
}

/** A number in 0..1 that follows from `text`. */
export function draw(text: string): number {
  let hash = 2166136261;
  for (let index = 0; index < text.length; index += 1)
    hash = Math.imul(hash ^ text.charCodeAt(index), 16777619);
  hash = Math.imul(hash ^ (hash >>> 15), 2246822519);
  return ((hash ^ (hash >>> 13)) >>> 0) / 2 ** 32;
}
