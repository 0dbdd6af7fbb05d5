import * as z from "zod";
import type { Checked } from "../../api/checked.ts";
import type { KubeObject } from "../../api/cluster-reader.ts";
import { LABELS } from "../../api/names.ts";
import { MAX_DATA_BYTES } from "./secret.ts";

type Texts = Readonly<Record<string, string>>;

const Bundle = z.object({
  kind: z.literal("ConfigMap"),
  immutable: z.literal(true),
  data: z.record(z.string(), z.string()).optional(),
  binaryData: z.record(z.string(), z.string()).optional(),
});

/**
 * The copy of an immutable ConfigMap with the worker's program that pods of another namespace mount (decisions 19). It has
 * the name of the original, which changes with the program, and nobody owns it: whoever applies it removes it when no
 * Deployment names it any more.
 *
 * @param source - The original, with its data.
 * @returns The copy, or why the original is none that may be copied.
 */
export function bundleCopy(source: KubeObject, namespace: string): Checked<KubeObject> {
  const bundle = Bundle.safeParse(source);
  const { name } = source.metadata;
  const refused = (message: string) =>
    ({ ok: false, violations: [{ path: "", message: `ConfigMap ${name} ${message}` }] }) as const;
  if (!bundle.success) return refused("is no bundle: it must be a ConfigMap with immutable: true");
  const { data = {}, binaryData = {} } = bundle.data;
  const bytes = sizeOf(data, "utf8") + sizeOf(binaryData, "base64");
  if (bytes === 0) return refused("is empty: the worker's program is missing");
  if (bytes > MAX_DATA_BYTES)
    return refused(`has ${bytes} bytes, a bundle has at most ${MAX_DATA_BYTES}`);
  const copy = {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name,
      namespace,
      labels: {
        [LABELS.app]: "kagent",
        [LABELS.managedBy]: "kagent",
        [LABELS.partOf]: "kagent",
        [LABELS.workerBundle]: "true",
      },
    },
    immutable: true,
    ...(Object.keys(data).length === 0 ? {} : { data: sorted(data) }),
    ...(Object.keys(binaryData).length === 0 ? {} : { binaryData: sorted(binaryData) }),
  };
  return { ok: true, value: copy };
}

/** Bytes as stored. */
function sizeOf(values: Texts, encoding: "utf8" | "base64"): number {
  return Object.entries(values).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value, encoding),
    0,
  );
}

function sorted(values: Texts): Texts {
  return Object.fromEntries(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)));
}
