import { isObject, type JsonObject, jsonIn, listAt, textAt, valueAt } from "./json-read.ts";

/** One series of a query with its latest value. */
export interface Sample {
  /** `name{label="value"}` without what is the same for all; empty for a plain number. */
  readonly series: string;
  readonly value: number;
}

/** Values of a Prometheus answer in any of its shapes, highest first; `undefined` when `text` is none. */
export function readSamples(text: string): readonly Sample[] | undefined {
  const results = resultsIn(jsonIn(text), 0);
  return results
    ?.map((result) => ({ series: seriesOf(result), value: latest(result) }))
    .filter((sample): sample is Sample => sample.value !== undefined && !Number.isNaN(sample.value))
    .sort((a, b) => b.value - a.value);
}

function resultsIn(value: unknown, depth: number): readonly JsonObject[] | undefined {
  if (depth > 4) return undefined;
  if (Array.isArray(value)) {
    const objects = (value as unknown[]).filter(isObject);
    const isVector = objects.some((each) => latest(each) !== undefined);
    return isVector || value.length === 0 ? objects : undefined;
  }
  if (!isObject(value)) return undefined;
  for (const key of ["result", "data", "results", "series"]) {
    const found = resultsIn(value[key], depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}

function latest(result: JsonObject): number | undefined {
  const values = listAt(result, "values");
  const last = values.at(-1) ?? valueAt(result, "value");
  const text = textAt(Array.isArray(last) ? last[1] : last);
  return text === "" ? undefined : Number(text);
}

function seriesOf(result: JsonObject): string {
  const labels = valueAt(result, "metric") ?? valueAt(result, "labels");
  if (!isObject(labels)) return textAt(result, "name");
  const { __name__: name, ...rest } = labels;
  const pairs = Object.entries(rest).map(([key, value]) => `${key}="${textAt(value)}"`);
  const braces = pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
  return `${typeof name === "string" ? name : ""}${braces}`;
}
