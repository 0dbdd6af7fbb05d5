import type { KubeObject } from "../../api/cluster-reader.ts";
import { clip, trimRows } from "../bounded-text.ts";
import { ageText } from "../duration-text.ts";
import { firstText, numberAt, textAt, valueAt } from "../json-value.ts";
import { textTable } from "../text-table.ts";

/** An event of either API group in one shape. */
interface EventLine {
  readonly lastSeen: string;
  readonly type: string;
  readonly reason: string;
  readonly namespace: string;
  readonly object: string;
  readonly message: string;
  readonly count: number;
}

/** 500 characters of a message: whole scheduler messages, no stack traces. */
const MAX_MESSAGE = 500;

function eventLine(event: KubeObject): EventLine {
  const about = valueAt(event, "involvedObject") ?? valueAt(event, "regarding");
  const lastSeen = firstText(
    textAt(event, "series", "lastObservedTime"),
    textAt(event, "lastTimestamp"),
    textAt(event, "deprecatedLastTimestamp"),
    textAt(event, "eventTime"),
    event.metadata.creationTimestamp ?? "",
  );
  return {
    lastSeen,
    type: textAt(event, "type"),
    reason: textAt(event, "reason"),
    namespace: firstText(textAt(about, "namespace"), event.metadata.namespace ?? ""),
    object: `${textAt(about, "kind").toLowerCase()}/${textAt(about, "name")}`,
    message: clip(firstText(textAt(event, "message"), textAt(event, "note")), MAX_MESSAGE),
    count:
      numberAt(event, "series", "count") ??
      numberAt(event, "count") ??
      numberAt(event, "deprecatedCount") ??
      1,
  };
}

/**
 * Events as a table: warnings first, each part with the latest first, so that trimming to 20 + 5 rows drops the
 * oldest normal events last seen before anything else.
 *
 * @param namespaces - Whether the namespace is a column.
 */
export function eventTable(
  events: readonly KubeObject[],
  now: number,
  namespaces: "shown" | "hidden",
): readonly string[] {
  const lines = events.map(eventLine).sort(byWarningThenLatest);
  const { head, tail, leftOut } = trimRows(lines);
  const columns = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "COUNT", "MESSAGE"];
  const cells = (line: EventLine) => {
    const { type, reason, object, message, count } = line;
    const all = [ageText(line.lastSeen, now), type, reason, object, String(count), message];
    return namespaces === "shown" ? [line.namespace, ...all] : all;
  };
  const shown = [...head, ...tail].map(cells);
  const table = textTable(namespaces === "shown" ? ["NAMESPACE", ...columns] : columns, shown);
  if (leftOut.length === 0) return table;
  const warnings = leftOut.filter(({ type }) => type === "Warning").length;
  const marker = `... ${leftOut.length} of ${lines.length} events left out (${warnings} warnings among them); give a namespace to see fewer ...`;
  return [...table.slice(0, head.length + 1), marker, ...table.slice(head.length + 1)];
}

function byWarningThenLatest(a: EventLine, b: EventLine): number {
  const warning = (line: EventLine) => (line.type === "Warning" ? 0 : 1);
  const byType = warning(a) - warning(b);
  if (byType !== 0) return byType;
  return (Date.parse(b.lastSeen) || 0) - (Date.parse(a.lastSeen) || 0);
}
