import { parse, stringify } from "yaml";
import type { KubeObject } from "../../api/cluster-reader.ts";
import { MAX_RESULT_BYTES } from "../bounded-text.ts";
import { textAt } from "../json-value.ts";
import { redactObject } from "../kubernetes/redact-object.ts";
import { redactText } from "../redact.ts";

/**
 * A rendered manifest that may be shown: each document redacted as the object it is. Documents beyond the size of an
 * answer are counted; one that is not YAML is shown only when it cannot be a Secret.
 */
export function manifestText(manifest: string): string {
  const documents = manifest.split(/^---[ \t]*$/m).filter((text) => text.trim() !== "");
  if (documents.length === 0) return "(none)";
  const shown: string[] = [];
  let bytes = 0;
  for (const document of documents) {
    if (bytes > MAX_RESULT_BYTES) break;
    const text = documentText(document);
    bytes += Buffer.byteLength(text);
    shown.push(text);
  }
  const left = documents.length - shown.length;
  return shown.join("\n---\n") + (left === 0 ? "" : `\n# ... ${left} more documents left out ...`);
}

function documentText(document: string): string {
  const source = /^# Source: .*$/m.exec(document)?.[0];
  const head = source === undefined ? "" : `${source}\n`;
  const object = parsed(document);
  if (object !== undefined) return head + stringify(redactObject(object)).trimEnd();
  if (/kind:\s*["']?(Secret|List)/.test(document))
    return `${head}# (a document that cannot be read)`;
  return redactText(document.trim());
}

function parsed(document: string): KubeObject | undefined {
  let value: unknown;
  try {
    value = parse(document);
  } catch {
    return undefined;
  }
  const isObject = textAt(value, "kind") !== "" && textAt(value, "metadata", "name") !== "";
  // `kind`, `metadata.name` and `apiVersion` are all that redaction reads by name
  return isObject && textAt(value, "apiVersion") !== "" ? (value as KubeObject) : undefined;
}
