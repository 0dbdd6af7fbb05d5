import * as z from "zod";

/**
 * List of objects with different names, which the API server enforces too and merges by name.
 *
 * @param item - Schema of one item; `name` must be required.
 */
export function listByName<T extends z.ZodObject<{ name: z.ZodString }>>(
  item: T,
  bounds: { readonly min: number; readonly max: number },
): z.ZodArray<T> {
  return z
    .array(item)
    .min(bounds.min)
    .max(bounds.max)
    .superRefine(
      (items, context) => {
        for (const index of repeated(items)) {
          const message = "has the name of an item before it";
          context.addIssue({ code: "custom", path: [index], message });
        }
      },
      // Also where items have other problems.
      { when: ({ value }) => Array.isArray(value) },
    )
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"] });
}

/** Positions of items whose name stood before; items may be anything. */
function repeated(items: readonly unknown[]): readonly number[] {
  const seen = new Set<unknown>();
  return items.flatMap((item, index) => {
    const name =
      typeof item === "object" && item !== null && "name" in item ? item.name : undefined;
    if (typeof name !== "string") return [];
    const before = seen.has(name);
    seen.add(name);
    return before ? [index] : [];
  });
}
