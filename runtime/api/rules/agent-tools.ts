import type { Agent } from "../objects.ts";

/** Tools that an agent may call of one MCP server. */
export interface ServerTools {
  /** Name of the server. */
  readonly server: string;
  /** Namespace that the entry names, if any. */
  readonly namespace: string | undefined;
  readonly kind: string | undefined;
  /** Allow-list; empty: every tool of the server. */
  readonly toolNames: readonly string[];
  readonly requireApproval: ReadonlySet<string>;
  /** Where the entry stands in the spec. */
  readonly path: string;
}

/** What an agent may call of MCP servers, entry by entry. */
export function serverTools({ spec }: Agent): readonly ServerTools[] {
  return (spec.declarative?.tools ?? []).flatMap(({ mcpServer }, index) => {
    if (mcpServer === undefined) return [];
    const { name, namespace, kind, toolNames = [], requireApproval = [] } = mcpServer;
    return [
      {
        server: name,
        namespace,
        kind,
        toolNames,
        requireApproval: new Set(requireApproval),
        path: `spec.declarative.tools[${index}].mcpServer`,
      },
    ];
  });
}
