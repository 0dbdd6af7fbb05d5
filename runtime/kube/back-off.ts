/** How long to wait between attempts. */
export interface BackOff {
  /** Shortest wait after the first failure, in milliseconds. */
  readonly leastMs: number;
  /** Longest wait, in milliseconds. */
  readonly mostMs: number;
}

/**
 * Wait before the next attempt: doubles with each failure, and is drawn from the upper half of what it may be, so
 * that clients that failed together do not come back together.
 *
 * @param failures - Failures in a row; 1 after the first.
 * @param random - 0 <= random < 1.
 * @returns Milliseconds: `leastMs` to twice that after one failure, half of `mostMs` to `mostMs` in the end.
 */
export function backOffMs(
  { leastMs, mostMs }: BackOff,
  failures: number,
  random: () => number,
): number {
  // 2 ** 1024 is no number
  const most = Math.min(mostMs, leastMs * 2 ** Math.min(failures, 1_000));
  return Math.min(mostMs, Math.max(leastMs, (most / 2) * (1 + random())));
}
