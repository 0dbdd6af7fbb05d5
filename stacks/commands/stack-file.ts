import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

/** Folder of the Pulumi project. */
export const ROOT = join(import.meta.dirname, "..", "..");

/**
 * Configuration in `Pulumi.<stack>.yaml`, keys with their prefix, values as written.
 *
 * @throws Error when there is no such file or it is no YAML.
 */
export function stackFile(stack: string): Readonly<Record<string, unknown>> {
  const file: unknown = parse(readFileSync(join(ROOT, `Pulumi.${stack}.yaml`), "utf8"));
  const { config } = (file ?? {}) as { readonly config?: Readonly<Record<string, unknown>> };
  return config ?? {};
}
