import { type Part, textOf } from "../../api/events.ts";

/** First and last share of a text that is cut in its middle. */
const HEAD_SHARE = 0.6;

/** What a model reads of `parts`: text as it is, data as JSON, files by name; never their content. */
export function readable(parts: readonly Part[]): string {
  const others = parts.map((part) => {
    if ("data" in part) return JSON.stringify(part.data);
    if ("url" in part) return fileName([part.filename ?? part.url, part.mediaType]);
    if ("raw" in part)
      return fileName([part.filename ?? "without a name", part.mediaType, size(part.raw)]);
    return "";
  });
  return [textOf(parts), ...others].filter((piece) => piece !== "").join("\n");
}

function fileName(facts: readonly (string | undefined)[]): string {
  return `[file ${facts.filter((fact) => fact !== undefined).join(", ")}; its content is not shown]`;
}

function size(base64: string): string {
  return `${Math.floor((base64.replace(/=+$/, "").length * 3) / 4)} bytes`;
}

/**
 * `text` within `maxBytes` of UTF-8 and a marker in place of its middle that says how much is missing.
 *
 * @param remedy - What the marker says behind that, e.g. how to get the rest.
 */
export function shortened(text: string, maxBytes: number, remedy = ""): string {
  const bytes = Buffer.byteLength(text);
  if (bytes <= maxBytes) return text;
  const buffer = Buffer.from(text);
  const head = Math.floor(maxBytes * HEAD_SHARE);
  const tail = maxBytes - head;
  const start = wholeCharacters(buffer.subarray(0, head));
  const end = wholeCharacters(buffer.subarray(bytes - tail));
  const marker = `[... ${bytes - head - tail} bytes left out${remedy === "" ? "" : `; ${remedy}`} ...]`;
  return [start, marker, end].filter((piece) => piece !== "").join("\n");
}

/** Decodes a cut piece of UTF-8 without the broken characters at its ends. */
function wholeCharacters(buffer: Buffer): string {
  return buffer.toString("utf8").replace(/^\uFFFD+|\uFFFD+$/g, "");
}
