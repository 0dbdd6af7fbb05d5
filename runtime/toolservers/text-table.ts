import { clip } from "./bounded-text.ts";

/** 240 characters per cell: messages of conditions stay whole, a stack trace does not widen a table. */
const MAX_CELL = 240;

/**
 * Columns padded with three spaces, headings first, one row per line; line breaks in cells become spaces.
 *
 * @param rows - Cells in the order of `columns`; an empty cell is shown as `-`.
 */
export function textTable(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const lines = [columns, ...rows].map((cells) => cells.map(cell));
  const widths = columns.map((_, index) =>
    Math.max(...lines.map((cells) => (cells[index] ?? "").length)),
  );
  return lines.map((cells) =>
    cells
      .map((text, index) => (index === cells.length - 1 ? text : text.padEnd(widths[index] ?? 0)))
      .join("   ")
      .trimEnd(),
  );
}

function cell(text: string): string {
  const flat = text.replace(/\s+/g, " ").trim();
  return flat === "" ? "-" : clip(flat, MAX_CELL);
}
