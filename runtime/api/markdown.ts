/** Marks that change how Markdown reads the text around them. */
const MARKS = /[\\`*[\]<|~]/g;
/** An underscore that is not inside a word: the only kind Markdown takes for emphasis. */
const UNDERSCORE = /(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/gu;
/** What makes a line a heading, list, quote or rule. */
const LINE_START = /^([ \t]*)([#>+=-]|\d+[.)](?=\s))/gm;

/** Text of one line whose Markdown is shown, not obeyed; safe in a cell of a table. */
export function inline(text: string): string {
  return text
    .replace(/\s+/g, " ")
    .trim()
    .replace(MARKS, (mark) => `\\${mark}`)
    .replace(UNDERSCORE, "\\_");
}

/** Text of several lines whose Markdown is shown, not obeyed. */
export function plain(text: string): string {
  const lines = text.split(/\r\n|\r|\n/).map((line) => line.trimEnd());
  return lines
    .join("\n")
    .trim()
    .replace(MARKS, (mark) => `\\${mark}`)
    .replace(UNDERSCORE, "\\_")
    .replace(LINE_START, (_, space: string, mark: string) => `${space.slice(0, 3)}\\${mark}`);
}

/** A table; a row that is longer than the columns gets columns without a title. */
export function table(columns: readonly string[], rows: readonly (readonly unknown[])[]): string {
  const width = rows.reduce((most, row) => Math.max(most, row.length), columns.length);
  const line = (cells: readonly unknown[]) =>
    `| ${Array.from({ length: width }, (_, at) => cell(cells[at])).join(" | ")} |`;
  const rule = `|${" --- |".repeat(width)}`;
  return [line(columns), rule, ...rows.map(line)].join("\n");
}

/** A block of code; the fence is longer than any in the text. */
export function code(text: string, language: string): string {
  const longest = [...text.matchAll(/`{3,}/g)].reduce(
    (most, [run]) => Math.max(most, run.length),
    2,
  );
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${text.trimEnd()}\n${fence}`;
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return "";
  return inline(typeof value === "string" ? value : JSON.stringify(value));
}
