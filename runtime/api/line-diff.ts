/** Unchanged lines shown around a change, as diff tools do. */
const CONTEXT = 3;
/** 4 million pairs of lines are compared; past that the whole middle counts as replaced. */
const MAX_PAIRS = 4_000_000;

type Line = readonly [mark: " " | "-" | "+", text: string];

/**
 * Differences of two texts, line by line, in the unified form people know; empty where there are none.
 *
 * The smallest set of changed lines, found in O(lines² of the part that differs) up to a bound.
 */
export function lineDiff(before: string, after: string): string {
  const [a, b] = [linesOf(before), linesOf(after)];
  let start = 0;
  while (start < Math.min(a.length, b.length) && a[start] === b[start]) start += 1;
  let same = 0;
  while (
    same < Math.min(a.length, b.length) - start &&
    a[a.length - 1 - same] === b[b.length - 1 - same]
  )
    same += 1;
  const middle = changed(a.slice(start, a.length - same), b.slice(start, b.length - same));
  const kept = (text: string): Line => [" ", text];
  const lines = [...a.slice(0, start).map(kept), ...middle, ...a.slice(a.length - same).map(kept)];
  return hunks(lines);
}

/** Lines with what ends them told apart: a last line without its newline differs from one with it. */
function linesOf(text: string): readonly string[] {
  if (text === "") return [];
  const lines = text.split("\n");
  if (lines.at(-1) === "") lines.pop();
  else lines.push("\\ No newline at end of file");
  return lines;
}

function changed(a: readonly string[], b: readonly string[]): readonly Line[] {
  if (a.length * b.length > MAX_PAIRS)
    return [...a.map((text): Line => ["-", text]), ...b.map((text): Line => ["+", text])];
  const longest = commonLengths(a, b);
  const lines: Line[] = [];
  let [i, j] = [0, 0];
  while (i < a.length && j < b.length) {
    const [left = "", right = ""] = [a[i], b[j]];
    const goes = longest(i + 1, j) >= longest(i, j + 1);
    const line: Line = left === right ? [" ", left] : goes ? ["-", left] : ["+", right];
    lines.push(line);
    if (line[0] !== "+") i += 1;
    if (line[0] !== "-") j += 1;
  }
  return [
    ...lines,
    ...a.slice(i).map((text): Line => ["-", text]),
    ...b.slice(j).map((text): Line => ["+", text]),
  ];
}

/** Length of the longest common subsequence of `a[i..]` and `b[j..]`. */
function commonLengths(
  a: readonly string[],
  b: readonly string[],
): (i: number, j: number) => number {
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1)
    for (let j = b.length - 1; j >= 0; j -= 1)
      lengths[i * width + j] =
        a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
  return at;
}

/** Changed lines with some around them, and where in both texts they stand. */
function hunks(lines: readonly Line[]): string {
  const near = lines.map(([mark], index) =>
    mark === " " ? lines.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1) : [],
  );
  const shown = lines.map(
    ([mark], index) => mark !== " " || near[index]?.some(([other]) => other !== " ") === true,
  );
  const out: string[] = [];
  let [before, after] = [1, 1];
  for (const [index, [mark, text]] of lines.entries()) {
    if (shown[index] === true) {
      if (shown[index - 1] !== true) out.push(`@@ line ${before} -> ${after} @@`);
      out.push(`${mark}${text}`);
    }
    if (mark !== "+") before += 1;
    if (mark !== "-") after += 1;
  }
  return out.join("\n");
}
