/** 3 edits: a typing error or two, not another word. */
const MAX_EDITS = 3;

/**
 * Names among `known` that somebody who wrote `wanted` may have meant, best first, at most `limit`.
 *
 * Names that begin with `wanted` come first, then those it begins with, then those within three edits.
 */
export function similarNames(
  wanted: string,
  known: Iterable<string>,
  limit: number,
): readonly string[] {
  const scored: { readonly name: string; readonly score: number }[] = [];
  for (const name of new Set(known)) {
    const score = distance(wanted, name);
    if (score <= MAX_EDITS) scored.push({ name, score });
  }
  return scored
    .sort((a, b) => a.score - b.score || (a.name < b.name ? -1 : 1))
    .slice(0, limit)
    .map(({ name }) => name);
}

function distance(wanted: string, name: string): number {
  if (name.startsWith(wanted)) return 0.1;
  if (wanted.startsWith(name)) return 0.2;
  if (Math.abs(wanted.length - name.length) > MAX_EDITS) return MAX_EDITS + 1;
  return edits(wanted, name);
}

/** Levenshtein distance in O(a * b); callers bound both lengths. */
function edits(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const current = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replace = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(replace, (previous[j] ?? 0) + 1, (current[j - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
