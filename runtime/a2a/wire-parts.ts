import type { Part as WirePart } from "@a2a-js/sdk";
import { type Part, THOUGHT } from "../api/events.ts";

/** Key of kagent's clients for a model's thinking aloud (kagent-api section 3.2). */
const KAGENT_THOUGHT = "kagent_thought";
/** The same as later releases of kagent write it. */
const ADK_THOUGHT = "adk_thought";

type Metadata = Readonly<Record<string, unknown>>;

/** A part as the SDK wants it; thoughts are marked the way kagent's clients know them. */
export function toWirePart(part: Part): WirePart {
  const metadata = toWireMetadata(part.metadata);
  if ("text" in part) {
    return { content: { $case: "text", value: part.text }, metadata, filename: "", mediaType: "" };
  }
  const mediaType = part.mediaType ?? "";
  if ("url" in part) {
    const content = { $case: "url", value: part.url } as const;
    return { content, metadata, filename: part.filename ?? "", mediaType };
  }
  if ("raw" in part) {
    const content = { $case: "raw", value: Buffer.from(part.raw, "base64") } as const;
    return { content, metadata, filename: part.filename ?? "", mediaType };
  }
  const content = { $case: "data", value: part.data ?? null } as const;
  return { content, metadata, filename: "", mediaType };
}

/** Inverse of {@link toWirePart}. A part without content, which JSON `data: null` becomes, is a DataPart. */
export function fromWirePart(part: WirePart): Part {
  const { content, filename, mediaType } = part;
  const metadata = fromWireMetadata(part.metadata);
  const common = metadata === undefined ? {} : { metadata: { ...metadata } };
  const typed = { ...common, ...(mediaType === "" ? {} : { mediaType }) };
  const named = { ...typed, ...(filename === "" ? {} : { filename }) };
  switch (content?.$case) {
    case "text":
      return { text: content.value, ...common };
    case "url":
      return { url: content.value, ...named };
    case "raw":
      return { raw: Buffer.from(content.value).toString("base64"), ...named };
    case "data":
      return { data: (content.value as unknown) ?? null, ...typed };
    case undefined:
      return { data: null, ...typed };
  }
}

/** A piece of text on its way, as a wire part. */
export function partialPart(text: string, thought: boolean): WirePart {
  const metadata = thought ? { [KAGENT_THOUGHT]: true } : undefined;
  return { content: { $case: "text", value: text }, metadata, filename: "", mediaType: "" };
}

function toWireMetadata(metadata: Metadata | undefined): WirePart["metadata"] {
  if (metadata?.[THOUGHT] !== true) return metadata;
  return { ...without(metadata, [THOUGHT]), [KAGENT_THOUGHT]: true };
}

function fromWireMetadata(metadata: Metadata | undefined): Metadata | undefined {
  if (metadata === undefined) return undefined;
  const rest = without(metadata, [KAGENT_THOUGHT, ADK_THOUGHT]);
  if (metadata[KAGENT_THOUGHT] === true || metadata[ADK_THOUGHT] === true)
    return { ...rest, [THOUGHT]: true };
  return Object.keys(rest).length === 0 ? undefined : rest;
}

function without(metadata: Metadata, keys: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => !keys.includes(key)));
}
