import { isObject, type JsonObject, jsonIn } from "./json-read.ts";
import { readTable } from "./read-table.ts";

/** Records that a tool answered, whatever its form. */
export interface RecordTable {
  readonly columns: readonly string[];
  readonly rows: readonly Readonly<Record<string, string | number>>[];
}

/** 500 records of 10 fields, found at most 5 levels deep. */
const MAX_ROWS = 500;
const MAX_COLUMNS = 10;
const MAX_DEPTH = 5;

/** Reads a JSON list of objects (wherever it is in the answer), a JSON map of objects, or a printed table. */
export function readRecords(text: string): RecordTable | undefined {
  const parsed = jsonIn(text);
  if (parsed === undefined) return fromTable(text);
  const records = longestList(parsed, 0) ?? mapOf(parsed) ?? emptyList(parsed);
  return records === undefined ? undefined : tabulated(records.slice(0, MAX_ROWS));
}

function fromTable(text: string): RecordTable | undefined {
  const table = readTable(text);
  return table && { columns: table.columns, rows: table.rows.slice(0, MAX_ROWS) };
}

function longestList(value: unknown, depth: number): readonly JsonObject[] | undefined {
  if (depth > MAX_DEPTH || typeof value !== "object" || value === null) return undefined;
  if (Array.isArray(value)) {
    const objects = (value as unknown[]).filter(isObject);
    if (objects.length > 0) {
      const [only] = objects;
      const inner =
        objects.length === 1 ? (longestList(only, depth + 1) ?? mapOf(only)) : undefined;
      return inner ?? objects;
    }
  }
  return Object.values(value)
    .map((member) => longestList(member, depth + 1))
    .filter((list) => list !== undefined)
    .sort((a, b) => b.length - a.length)[0];
}

/** No records, where a list is the answer or stands right inside it and is empty. */
function emptyList(value: unknown): readonly JsonObject[] | undefined {
  const lists = Array.isArray(value) ? [value] : isObject(value) ? Object.values(value) : [];
  return lists.some((list) => Array.isArray(list) && list.length === 0) ? [] : undefined;
}

/** `{"shop": {...}, "web": {...}}` as records with a name. */
function mapOf(value: unknown): readonly JsonObject[] | undefined {
  if (!isObject(value)) return undefined;
  const entries = Object.entries(value);
  const objects = entries.filter(([, member]) => isObject(member));
  if (objects.length > 0 && objects.length === entries.length)
    return objects.map(([name, member]) => ({ name, ...(member as JsonObject) }));
  return objects.map(([, member]) => mapOf(member)).find((inner) => inner !== undefined);
}

function tabulated(records: readonly JsonObject[]): RecordTable {
  const rows = records.map((record) => flat(record, "", 0));
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))].slice(0, MAX_COLUMNS);
  return { columns, rows };
}

function flat(record: JsonObject, prefix: string, depth: number): Record<string, string | number> {
  const cells: Record<string, string | number> = {};
  for (const [key, value] of Object.entries(record)) {
    const name = `${prefix}${key}`;
    if (typeof value === "string" || typeof value === "number") cells[name] = value;
    else if (typeof value === "boolean") cells[name] = String(value);
    else if (Array.isArray(value) && value.every((item) => typeof item !== "object"))
      cells[name] = value.join(", ");
    else if (isObject(value) && depth < 2) Object.assign(cells, flat(value, `${name}.`, depth + 1));
  }
  return cells;
}

/** First column whose name fits, in the order of `patterns`. */
export function columnLike(table: RecordTable, ...patterns: readonly RegExp[]): string | undefined {
  for (const pattern of patterns) {
    const found = table.columns.find((column) => pattern.test(column));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Number in a cell; text such as `12.5 %` or `$3.10` counts. */
export function cellNumber(
  row: Readonly<Record<string, string | number>>,
  column: string | undefined,
): number | undefined {
  const cell = column === undefined ? undefined : row[column];
  if (typeof cell === "number") return cell;
  const digits = /-?\d+(?:\.\d+)?/.exec(cell ?? "");
  return digits === null ? undefined : Number(digits[0]);
}
