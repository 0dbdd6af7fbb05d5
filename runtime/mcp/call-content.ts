import type { Part } from "../api/events.ts";
import type { ToolResult } from "./tool-provider.ts";

/** A result in the form of `tools/call` (specification 2025-11-25, Tool Result). */
export interface CallContent {
  readonly [key: string]: unknown;
  readonly content: readonly Content[];
  readonly structuredContent?: Readonly<Record<string, unknown>>;
  readonly isError?: boolean;
}

type Content =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "image" | "audio"; readonly data: string; readonly mimeType: string }
  | {
      readonly type: "resource_link";
      readonly uri: string;
      readonly name: string;
      readonly mimeType?: string;
    }
  | {
      readonly type: "resource";
      readonly resource: { readonly uri: string; readonly mimeType?: string } & (
        | { readonly text: string }
        | { readonly blob: string }
      );
    };

/** A result as an MCP server sends it. */
export function toCallContent(result: ToolResult): CallContent {
  const content = result.parts.flatMap((part, index) => contentOf(part, index));
  return {
    content: content.length > 0 ? content : [{ type: "text", text: result.text }],
    ...(result.structured === undefined ? {} : { structuredContent: result.structured }),
    ...(result.isError === true ? { isError: true } : {}),
  };
}

function contentOf(part: Part, index: number): Content[] {
  if ("text" in part) {
    const uri = part.metadata?.["uri"];
    if (typeof uri !== "string") return [{ type: "text", text: part.text }];
    return [{ type: "resource", resource: { uri, text: part.text } }];
  }
  if ("url" in part) {
    const name = part.filename ?? part.url;
    return [{ type: "resource_link", uri: part.url, name, ...mimeType(part) }];
  }
  if ("raw" in part) return [binaryOf(part, index)];
  return []; // structured content has a place of its own
}

function binaryOf(part: Extract<Part, { raw: string }>, index: number): Content {
  const [family] = (part.mediaType ?? "").split("/");
  if (part.mediaType !== undefined && (family === "image" || family === "audio")) {
    return { type: family, data: part.raw, mimeType: part.mediaType };
  }
  const uri = part.metadata?.["uri"];
  return {
    type: "resource",
    resource: {
      uri: typeof uri === "string" ? uri : `attachment:${index}`,
      blob: part.raw,
      ...mimeType(part),
    },
  };
}

function mimeType(part: { readonly mediaType?: string | undefined }): { mimeType?: string } {
  return part.mediaType === undefined ? {} : { mimeType: part.mediaType };
}
