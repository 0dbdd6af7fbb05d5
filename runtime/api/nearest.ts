/** 64 characters: longer names are no typing errors of ours, and the distance costs their product. */
const MAX_LENGTH = 64;

/**
 * The known name that `name` is most likely a misspelling of, or `undefined`.
 *
 * Case does not count. Names of three and four characters may differ in one place, longer ones in two.
 *
 * @param known - Candidates; of two equally close the first wins.
 */
export function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > MAX_LENGTH) return undefined;
  const word = name.toLowerCase();
  let best: string | undefined;
  let bestDistance = Math.min(2, Math.floor(word.length / 2.5)) + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - word.length) >= bestDistance) continue;
    const distance = editDistance(word, candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Least number of insertions, deletions, replacements and swaps of neighbours from `a` to `b`. */
function editDistance(a: string, b: string): number {
  let rows: Rows = { last: Array.from({ length: b.length + 1 }, (_, j) => j), before: [] };
  for (let i = 1; i <= a.length; i++) {
    rows = { last: nextRow(a.slice(0, i), b, rows), before: rows.last };
  }
  return rows.last[b.length] ?? 0;
}

/** Distances of each prefix of `b` from the two prefixes of `a` looked at last. */
interface Rows {
  readonly last: readonly number[];
  readonly before: readonly number[];
}

function nextRow(prefix: string, b: string, { last, before }: Rows): readonly number[] {
  const row = [prefix.length];
  const [previous, letter] = [prefix.at(-2), prefix.at(-1)];
  for (let j = 1; j <= b.length; j++) {
    const same = letter === b[j - 1];
    const swapped = j > 1 && previous === b[j - 1] && letter === b[j - 2];
    row.push(
      Math.min(
        at(last, j) + 1,
        at(row, j - 1) + 1,
        at(last, j - 1) + (same ? 0 : 1),
        swapped ? at(before, j - 2) + 1 : Infinity,
      ),
    );
  }
  return row;
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Infinity;
}
