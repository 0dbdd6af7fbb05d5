const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `ms` as `45s`, `12m`, `5h`, `3d` in the largest unit it holds twice; negative counts as 0. */
export function durationText(ms: number): string {
  const whole = Math.max(0, ms);
  if (whole < 2 * MINUTE) return `${Math.floor(whole / SECOND)}s`;
  if (whole < 2 * HOUR) return `${Math.floor(whole / MINUTE)}m`;
  if (whole < 2 * DAY) return `${Math.floor(whole / HOUR)}h`;
  return `${Math.floor(whole / DAY)}d`;
}

/** Time since `timestamp` (RFC 3339) at `now`; `<unknown>` when it is none. */
export function ageText(timestamp: string, now: number): string {
  const then = Date.parse(timestamp);
  return Number.isNaN(then) ? "<unknown>" : durationText(now - then);
}

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: SECOND,
  m: MINUTE,
  h: HOUR,
  d: DAY,
  w: 7 * DAY,
  y: 365 * DAY,
};

/** Milliseconds of a duration as Prometheus writes it (`5m`, `1h30m`, `90s`), or `undefined`. */
export function parseDuration(text: string): number | undefined {
  if (text.length > 40 || !/^(\d+(ms|[smhdwy]))+$/.test(text)) return undefined;
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+)(ms|[smhdwy])/g))
    total += Number(amount) * (UNITS[unit ?? ""] ?? 0);
  return total;
}
