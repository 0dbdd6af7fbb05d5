import * as z from "zod";
import type { ResourceType, WatchEvent } from "../api/cluster.ts";
import { ClusterError } from "../api/cluster-reader.ts";
import { statusObjectError } from "./cluster-error.ts";
import { identified, storedObject } from "./cluster-objects.ts";

const CHANGES = { ADDED: "added", MODIFIED: "modified", DELETED: "deleted" } as const;

const Line = z.discriminatedUnion("type", [
  z.object({ type: z.enum(["ADDED", "MODIFIED", "DELETED"]), object: z.looseObject({}) }),
  z.object({
    type: z.literal("BOOKMARK"),
    object: z.object({ metadata: z.object({ resourceVersion: z.string().min(1) }) }),
  }),
  z.object({ type: z.literal("ERROR"), object: z.looseObject({ code: z.int().nullish() }) }),
]);

/**
 * One event of a watch.
 *
 * @param json - A line of the server.
 * @throws ClusterError that the server sends as the last event, e.g. `expired`; `invalid` for anything else.
 */
export function readWatchLine(json: unknown, type: ResourceType): WatchEvent {
  const parsed = Line.safeParse(json);
  if (!parsed.success)
    throw new ClusterError("invalid", `an event of the watch on ${type.plural} cannot be read`);
  const line = parsed.data;
  if (line.type === "ERROR") throw statusObjectError(line.object.code ?? 500, line.object);
  if (line.type === "BOOKMARK")
    return { type: "bookmark", resourceVersion: line.object.metadata.resourceVersion };
  const object = storedObject(identified(line.object, type));
  return { type: CHANGES[line.type], object };
}
