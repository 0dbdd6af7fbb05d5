import { numberAt, textAt } from "./json-read.ts";
import { readObjects } from "./read-list.ts";
import { readTable } from "./read-table.ts";
import type { PastCall } from "./situation.ts";

/** An event of a cluster. */
export interface ClusterEvent {
  readonly namespace: string;
  /** `Normal` or `Warning`. */
  readonly type: string;
  readonly reason: string;
  /** `kind/name`, the kind in lower case. */
  readonly object: string;
  readonly message: string;
  readonly count: number;
}

/** Events in the answer of a tool, in its order; JSON or a table. */
export function readEvents(call: PastCall): readonly ClusterEvent[] {
  const list = readObjects(call.text);
  if (list !== undefined)
    return list.objects.map((event) => ({
      namespace:
        textAt(event, "involvedObject", "namespace") || textAt(event, "metadata", "namespace"),
      type: textAt(event, "type"),
      reason: textAt(event, "reason"),
      object: objectOf(event),
      message: textAt(event, "message") || textAt(event, "note"),
      count: numberAt(event, "count") ?? numberAt(event, "series", "count") ?? 1,
    }));
  const asked = textAt(call.args, "namespace");
  return (readTable(call.text)?.rows ?? []).map((row) => ({
    namespace: row["NAMESPACE"] ?? asked,
    type: row["TYPE"] ?? "",
    reason: row["REASON"] ?? "",
    object: (row["OBJECT"] ?? "").toLowerCase(),
    message: row["MESSAGE"] ?? "",
    count: numberAt(row, "COUNT") ?? 1,
  }));
}

function objectOf(event: unknown): string {
  const about = ["involvedObject", "regarding"].find((key) => textAt(event, key, "name") !== "");
  if (about === undefined) return "";
  return `${textAt(event, about, "kind").toLowerCase()}/${textAt(event, about, "name")}`;
}
