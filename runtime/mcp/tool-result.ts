import * as z from "zod";
import type { Part } from "../api/events.ts";
import type { ToolOutput } from "../api/tool.ts";
import type { ToolResult } from "./tool-provider.ts";

/** 1 MiB of content per result: bounds what one call can put into a session. The rest is marked as cut. */
const MAX_RESULT_BYTES = 1024 * 1024;

const Link = z.object({ uri: z.string(), mimeType: z.string().optional() });
const Content = z.discriminatedUnion("type", [
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.literal("image"), data: z.string(), mimeType: z.string() }),
  z.object({ type: z.literal("audio"), data: z.string(), mimeType: z.string() }),
  Link.extend({ type: z.literal("resource_link"), name: z.string().optional() }),
  z.object({
    type: z.literal("resource"),
    resource: z.union([Link.extend({ text: z.string() }), Link.extend({ blob: z.string() })]),
  }),
]);

/** Answer to `tools/call`, lenient: content of a kind we do not know does not spoil the rest. */
export const CallResult = z.looseObject({
  content: z.array(z.unknown()).default([]),
  structuredContent: z.record(z.string(), z.unknown()).optional(),
  isError: z.boolean().optional(),
});
/** Answer to `tools/call`. */
export type CallResult = z.output<typeof CallResult>;

/** The answer of a server as a result of ours, cut to `maxBytes`. */
export function fromCallResult(result: CallResult, maxBytes = MAX_RESULT_BYTES): ToolResult {
  const parts = result.content.map(partOf);
  return boundedResult(parts, result.structuredContent, result.isError === true, maxBytes);
}

/** The output of a built-in tool as a result, cut to `maxBytes`. */
export function fromOutput(output: ToolOutput, maxBytes = MAX_RESULT_BYTES): ToolResult {
  const parts = [{ text: output.text }];
  return boundedResult(parts, output.structured, output.isError === true, maxBytes);
}

/** A result that says why a call failed. */
export function failure(text: string): ToolResult {
  return fromOutput({ text, isError: true });
}

function partOf(content: unknown): Part {
  const parsed = Content.safeParse(content);
  if (!parsed.success) return { text: "[content of an unknown kind was left out]" };
  const item = parsed.data;
  switch (item.type) {
    case "text":
      return { text: item.text };
    case "image":
    case "audio":
      return { raw: item.data, mediaType: item.mimeType };
    case "resource_link":
      return {
        url: item.uri,
        ...mediaType(item),
        ...(item.name === undefined ? {} : { filename: item.name }),
      };
    case "resource": {
      const { resource } = item;
      const metadata = { uri: resource.uri };
      if ("text" in resource) return { text: resource.text, metadata };
      return { raw: resource.blob, ...mediaType(resource), metadata };
    }
  }
}

function mediaType(item: { readonly mimeType?: string | undefined }): { mediaType?: string } {
  return item.mimeType === undefined ? {} : { mediaType: item.mimeType };
}

function boundedResult(
  parts: readonly Part[],
  structured: Readonly<Record<string, unknown>> | undefined,
  isError: boolean,
  maxBytes: number,
): ToolResult {
  const budget = new Budget(maxBytes);
  const kept: Part[] = parts.flatMap((part) => budget.take(part));
  const keptStructured = structured === undefined ? undefined : budget.takeStructured(structured);
  const marker = budget.marker();
  if (marker !== undefined) kept.push({ text: marker });
  const text = kept
    .map(spoken)
    .filter((line) => line !== "")
    .join("\n");
  const data: Part[] =
    keptStructured === undefined ? [] : [{ data: keptStructured, mediaType: "application/json" }];
  return {
    text: text === "" && keptStructured !== undefined ? JSON.stringify(keptStructured) : text,
    parts: [...kept, ...data],
    ...(keptStructured === undefined ? {} : { structured: keptStructured }),
    ...(isError ? { isError: true } : {}),
  };
}

/** What the model reads of a part. */
function spoken(part: Part): string {
  if ("text" in part) return part.text;
  if ("url" in part) return `[resource ${part.filename ?? ""} ${part.url}]`.replace("  ", " ");
  if ("raw" in part)
    return `[${part.mediaType ?? "binary"} content, ${part.raw.length} characters of base64]`;
  return JSON.stringify(part.data);
}

/** Hands out the bytes of one result. */
class Budget {
  readonly #max: number;
  #left: number;
  #asked = 0;

  constructor(max: number) {
    this.#max = max;
    this.#left = max;
  }

  /** `part`, its beginning, or nothing. */
  take(part: Part): Part[] {
    if ("text" in part) {
      const bytes = Buffer.byteLength(part.text);
      const kept = this.#reserve(bytes, "divisible");
      if (kept === bytes) return [part];
      return kept === 0 ? [] : [{ ...part, text: head(part.text, kept) }];
    }
    const bytes = Buffer.byteLength("raw" in part ? part.raw : "url" in part ? part.url : "");
    return this.#reserve(bytes, "whole") === bytes ? [part] : [];
  }

  takeStructured(value: Readonly<Record<string, unknown>>): typeof value | undefined {
    const bytes = Buffer.byteLength(JSON.stringify(value));
    return this.#reserve(bytes, "whole") === bytes ? value : undefined;
  }

  /** Says that something is missing, if so. */
  marker(): string | undefined {
    const shown = this.#max - this.#left;
    if (shown === this.#asked) return undefined;
    return `[cut: ${shown} of ${this.#asked} bytes shown]`;
  }

  #reserve(bytes: number, kind: "divisible" | "whole"): number {
    this.#asked += bytes;
    const granted = bytes <= this.#left ? bytes : kind === "whole" ? 0 : this.#left;
    this.#left -= granted;
    return granted;
  }
}

/** The first `bytes` bytes of `text`, without half a character at the end. */
function head(text: string, bytes: number): string {
  return new TextDecoder().decode(Buffer.from(text).subarray(0, bytes), { stream: true });
}
