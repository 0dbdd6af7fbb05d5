import { cellNumber, columnLike, type RecordTable } from "./read-records.ts";

/** Bounds of right-sizing in per cent (reference-platform.md section 1). */
export const OVER_BELOW = 30;
/** Above this share of use, in per cent, hardly any head-room is left. */
export const UNDER_ABOVE = 80;
/** Requests that fit are use times this. */
export const HEAD_ROOM = 1.2;

/** What something costs and how much of it is used. */
export interface CostRow {
  readonly name: string;
  /** The name itself where costs are grouped by namespace. */
  readonly namespace: string;
  /** Per cent of what was asked for; `undefined` where it is not known. */
  readonly efficiency: number | undefined;
  readonly cost: number | undefined;
  /** Use times {@link HEAD_ROOM} with the unit of the source; empty where it is not known. */
  readonly cpuTarget: string;
  /** The same for memory. */
  readonly memoryTarget: string;
}

/** Rows of costs in whatever columns a server has. */
export function costRows(table: RecordTable): readonly CostRow[] {
  const name = columnLike(table, /^(?:name|namespace|controller|deployment|workload)$/i, /name/i);
  const namespace = columnLike(table, /namespace$/i);
  const efficiency = columnLike(table, /^total_?efficiency/i, /^efficiency/i, /efficiency/i);
  const cost = columnLike(table, /^total_?cost/i, /^cost/i, /cost/i);
  const cpuUse = columnLike(table, /cpu.*(?:usage|use)(?:average)?$/i);
  const memoryUse = columnLike(table, /(?:ram|memory).*(?:usage|use)(?:average)?$/i);
  const factor = isFraction(table, efficiency) ? 100 : 1;
  return table.rows.map((row) => {
    const figure = cellNumber(row, efficiency);
    const own = text(row, name);
    return {
      name: own,
      namespace: text(row, namespace) || own,
      efficiency: figure === undefined ? undefined : figure * factor,
      cost: cellNumber(row, cost),
      cpuTarget: withHeadRoom(text(row, cpuUse)),
      memoryTarget: withHeadRoom(text(row, memoryUse)),
    };
  });
}

type Row = RecordTable["rows"][number];

function text(row: Row, column: string | undefined): string {
  const cell = column === undefined ? "" : String(row[column] ?? "");
  return cell === "-" ? "" : cell;
}

/** Some servers answer 0.27, others 27 or `27 %`. */
function isFraction({ rows }: RecordTable, column: string | undefined): boolean {
  if (rows.some((row) => text(row, column).includes("%"))) return false;
  return rows.every((row) => (cellNumber(row, column) ?? 0) <= 1.5);
}

/** An amount such as `250m`, `1.2Gi` or `0.25` times {@link HEAD_ROOM}. */
function withHeadRoom(amount: string): string {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)\s*([A-Za-z]{0,3})$/.exec(amount) ?? [];
  if (digits === undefined) return "";
  return `${Number((Number(digits) * HEAD_ROOM).toPrecision(3))}${unit}`;
}

/** What a share of use in per cent says about the size. */
export function sizing(
  efficiency: number,
): "over-provisioned" | "right-sized" | "under-provisioned" {
  if (efficiency < OVER_BELOW) return "over-provisioned";
  return efficiency > UNDER_ABOVE ? "under-provisioned" : "right-sized";
}
