/** One measured figure; what `--json` prints, one object a line. */
export interface Figure {
  /** Name of the bench, as on the command line. */
  readonly bench: string;
  readonly scenario: string;
  readonly unit: string;
  /** Ours: a median unless the scenario says otherwise. */
  readonly ours: number;
  /** The same thing done by somebody else in the same run. */
  readonly peer?: number;
  readonly peerName?: string;
  /** What `ours` should be, e.g. `<= 3`. */
  readonly goal?: string;
}

/** A figure as it is printed. */
export interface PrintedFigure {
  readonly bench: string;
  readonly scenario: string;
  readonly unit: string;
  readonly ours: number;
  readonly peer: number | null;
  readonly peerName: string | null;
  /** Ours by the peer's. */
  readonly ratio: number | null;
  readonly goal: string | null;
  /** Whether the goal holds; null without a goal. */
  readonly ok: boolean | null;
}

/** A figure with everything that follows from it. */
export function printed(figure: Figure): PrintedFigure {
  const { peer, goal, ours } = figure;
  return {
    bench: figure.bench,
    scenario: figure.scenario,
    unit: figure.unit,
    ours: rounded(ours),
    peer: peer === undefined ? null : rounded(peer),
    peerName: figure.peerName ?? null,
    ratio: peer === undefined ? null : rounded(ours / peer),
    goal: goal ?? null,
    ok: goal === undefined ? null : holds(ours, goal),
  };
}

/** @throws RangeError for a goal that is none. */
function holds(value: number, goal: string): boolean {
  const match = /^(<=|>=) (\d+(?:\.\d+)?)$/.exec(goal);
  if (match === null) throw new RangeError(`failed to read the goal ${goal}`);
  const bound = Number(match[2]);
  return match[1] === "<=" ? value <= bound : value >= bound;
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

/** Middle value; the mean of the two middle ones where there is none. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Value below which the share `q` of the values lies, interpolated. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? low;
  return low + (high - low) * (at - Math.floor(at));
}
