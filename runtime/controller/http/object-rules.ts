import * as z from "zod";
import { check } from "../../api/checked.ts";
import type { KubeObject } from "../../api/cluster-reader.ts";
import { type KagentObject, objectKey, parseObject } from "../../api/objects.ts";
import { admission } from "../../api/rules/admission.ts";
import { objectSet } from "../../api/rules/object-set.ts";
import { invalid } from "./answers.ts";
import type { ClusterAccess, DirectoryView } from "./http-api-deps.ts";
import { checkNamespace, placed } from "./writing.ts";

const Object_ = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string() }),
});

/**
 * An object as it may be written, checked by its schema and by every rule beside the objects that are there.
 *
 * @param input - As people sent it, `apiVersion` and `kind` filled in.
 * @throws ApiError 400 with every violation and its path.
 */
export function admitted<K extends KagentObject["kind"]>(
  kind: K,
  input: unknown,
  directory: DirectoryView,
  access: ClusterAccess,
): { readonly written: KubeObject; readonly parsed: Extract<KagentObject, { kind: K }> } {
  const shape = check(Object_, input, "");
  if (!shape.ok) throw invalid(shape.violations);
  const written = placed(shape.value, access.namespace);
  const parsed = parseObject(written);
  if (!parsed.ok) throw invalid(parsed.violations);
  const object = parsed.value;
  if (object.kind !== kind) throw invalid([{ path: "kind", message: `must be "${kind}"` }]);
  checkNamespace(access, object.metadata.namespace ?? access.namespace);
  const key = objectKey(object);
  const others = [
    ...directory.agents().map((entry) => entry.object),
    ...directory.models(),
    ...directory.servers(),
  ].filter((other) => objectKey(other) !== key);
  const { violations } = admission(object, objectSet([...others, object]));
  if (violations.length > 0) throw invalid(violations);
  return { written, parsed: object as Extract<KagentObject, { kind: K }> };
}
