import { stringify } from "yaml";
import type { ApiResource, KubeObject, ObjectList } from "../../api/cluster-reader.ts";
import { boundBytes, trimRows } from "../bounded-text.ts";
import { textTable } from "../text-table.ts";
import { columnsOf } from "./columns.ts";
import { compactObject } from "./compact-object.ts";
import { eventTable } from "./events.ts";
import { healthOf } from "./health.ts";
import { typeText } from "./resource-types.ts";

/** Forms of an answer. */
export const OUTPUTS = ["wide", "json", "yaml", "name"] as const;
/** Form of an answer. */
type Output = (typeof OUTPUTS)[number];

/** 16 KiB of JSON or YAML per list: objects beyond it are counted, not shown. */
const MAX_LIST_BYTES = 16 * 1024;

/** What {@link listText} shows. */
export interface ListView {
  /** Kind of the objects. */
  readonly resource: ApiResource;
  /** The objects. */
  readonly list: ObjectList;
  /** Where they were looked for, e.g. `in namespace shop`. */
  readonly where: string;
  /** Form of the answer. */
  readonly output: Output;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/** Objects of one kind for a model: those that need attention first, bounded, with what is left out counted. */
export function listText(view: ListView): string {
  const { resource, list, where, output, now } = view;
  if (list.items.length === 0) return `no ${resource.plural} found ${where}`;
  if (output === "wide" && resource.kind === "Event")
    return eventTable(list.items, now, "shown").join("\n");
  const unwell = list.items.filter((object) => !healthOf(object, now).healthy);
  const ordered = [...unwell, ...list.items.filter((object) => !unwell.includes(object))];
  const parts = { ...view, ordered, unhealthy: unwell.length };
  if (output === "json") return jsonList(parts);
  const lines = output === "wide" ? tableLines(parts) : textLines(parts);
  return [summary(parts), ...lines].join("\n");
}

interface OrderedView extends ListView {
  readonly ordered: readonly KubeObject[];
  readonly unhealthy: number;
}

function summary({ resource, list, where, unhealthy, ordered }: OrderedView): string {
  const total = `${ordered.length} ${resource.plural} ${where}`;
  const health = unhealthy === 0 ? "none unhealthy" : `${unhealthy} unhealthy, listed first`;
  const more = list.more
    ? `; the cluster has more, only the first ${ordered.length} were read`
    : "";
  return `${total}: ${health}${more}`;
}

function tableLines({ resource, ordered, unhealthy, now }: OrderedView): readonly string[] {
  const columns = columnsOf(resource);
  const headings = columns.map(({ heading }) => heading);
  const { head, tail, leftOut } = trimRows(ordered);
  const row = (object: KubeObject) => {
    const cells = columns.map(({ cell }) => cell(object, now));
    return resource.namespaced ? [object.metadata.namespace ?? "", ...cells] : cells;
  };
  const table = textTable(
    resource.namespaced ? ["NAMESPACE", ...headings] : headings,
    [...head, ...tail].map(row),
  );
  if (leftOut.length === 0) return table;
  const hidden = Math.max(0, Math.min(unhealthy - head.length, leftOut.length));
  return [
    ...table.slice(0, head.length + 1),
    leftOutLine(leftOut.length, ordered.length, hidden),
    ...table.slice(head.length + 1),
  ];
}

function leftOutLine(leftOut: number, total: number, hidden: number): string {
  const health = hidden === 0 ? "all of them healthy" : `${hidden} of them unhealthy`;
  return `... ${leftOut} of ${total} rows left out, ${health}; narrow with namespace, resource_name or label_selector ...`;
}

function textLines({ resource, ordered, output }: OrderedView): readonly string[] {
  if (output === "name") {
    const type = typeText(resource).toLowerCase();
    const names = ordered.map(({ metadata: { name, namespace } }) =>
      namespace === undefined ? `${type}/${name}` : `${type}/${name} -n ${namespace}`,
    );
    const { head, tail, leftOut } = trimRows(names);
    if (leftOut.length === 0) return names;
    return [...head, `... ${leftOut.length} of ${names.length} names left out ...`, ...tail];
  }
  const { shown, leftOut } = fitting(ordered.map((object) => stringify(compactObject(object))));
  return [
    shown.join("---\n").trimEnd(),
    ...(leftOut === 0 ? [] : [`# ... ${leftOut} more left out ...`]),
  ];
}

/** One object per line inside one JSON object, so that it can be read by people and parsed by programs. */
function jsonList({ list, ordered, unhealthy }: OrderedView): string {
  const { shown, leftOut } = fitting(
    ordered.map((object) => JSON.stringify(compactObject(object))),
  );
  const head = JSON.stringify({
    apiVersion: "v1",
    kind: "List",
    total: ordered.length,
    unhealthy,
    leftOut,
    ...(list.more ? { more: true } : {}),
  });
  return `${head.slice(0, -1)},"items":[\n${shown.join(",\n")}\n]}`;
}

function fitting(texts: readonly string[]): {
  readonly shown: readonly string[];
  readonly leftOut: number;
} {
  let bytes = 0;
  const shown: string[] = [];
  for (const text of texts) {
    bytes += Buffer.byteLength(text);
    if (bytes > MAX_LIST_BYTES) break;
    shown.push(text);
  }
  return { shown, leftOut: texts.length - shown.length };
}

/** One object in the form that was asked for; JSON too big for an answer falls back to the essentials. */
export function objectText(view: Omit<ListView, "list"> & { readonly object: KubeObject }): string {
  const { object, output } = view;
  if (output === "yaml") return boundBytes(stringify(object));
  if (output === "json") {
    const whole = JSON.stringify(object, null, 1);
    if (Buffer.byteLength(whole) <= MAX_LIST_BYTES) return whole;
    return boundBytes(JSON.stringify({ ...compactObject(object), shortened: true }, null, 1));
  }
  return listText({ ...view, list: { items: [object], more: false } });
}
