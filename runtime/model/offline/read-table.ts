/** A table that a tool printed. */
export interface TextTable {
  /** Upper-case headings. */
  readonly columns: readonly string[];
  /** Cells by heading. */
  readonly rows: readonly Readonly<Record<string, string>>[];
  /** Whether the tool says that it left rows out. */
  readonly incomplete: boolean;
}

/** 2000 rows of a table are read. */
const MAX_ROWS = 2000;

/** Reads a table as kubectl and helm print it: upper-case headings, columns two or more spaces apart. */
export function readTable(text: string): TextTable | undefined {
  const lines = text.split("\n");
  const head = lines.findIndex(isHeading);
  if (head < 0) return undefined;
  const columns = cellsOf(lines[head] ?? "");
  const body = lines.slice(head + 1, head + 1 + MAX_ROWS).filter((line) => line.trim() !== "");
  const rows = body
    .filter((line) => !isGap(line))
    .map((line) => {
      const cells = cellsOf(line);
      // A cell too many belongs to the last column, which holds free text.
      const own = [
        ...cells.slice(0, columns.length - 1),
        cells.slice(columns.length - 1).join("  "),
      ];
      return Object.fromEntries(columns.map((column, index) => [column, own[index] ?? ""]));
    });
  return { columns, rows, incomplete: body.some(isGap) };
}

function isHeading(line: string): boolean {
  const cells = cellsOf(line);
  return cells.length >= 2 && cells.every((cell) => /^[A-Z][A-Z0-9 ()/_-]*$/.test(cell));
}

function isGap(line: string): boolean {
  return /^\s*\[?\.\.\. .*left out/.test(line);
}

function cellsOf(line: string): readonly string[] {
  return line.trim().split(/\t+|\s{2,}/);
}
