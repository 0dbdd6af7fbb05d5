/** Tool servers whose tools are known; `kagent-tools`: the rest of kagent's own server, which no stack here runs. */
export type ToolServerName =
  | "k8s"
  | "helm"
  | "grafana"
  | "opencost"
  | "github"
  | "code"
  | "kagent-tools";

/**
 * What a tool does to the world outside the conversation.
 *
 * `read`: clusters, repositories and accounts are afterwards as they were before; `write`: they may not
 * be. What only fills the agent's own memory or scratch area is `read`.
 */
export type ToolAccess = "read" | "write";

/** One known tool. */
export interface CatalogueTool {
  /** Server that has it. */
  readonly server: ToolServerName;
  /** Name as the server spells it, without target. */
  readonly name: string;
  /** What it does to the world outside. */
  readonly access: ToolAccess;
  /** One line for people. */
  readonly summary: string;
}

/** Names with their summaries, by access: the form the tables are written in. */
export interface ToolTable {
  readonly read: Readonly<Record<string, string>>;
  readonly write: Readonly<Record<string, string>>;
}

/** The tools of `table`, reads first, each name preceded by `prefix`. */
export function toolsOf(
  server: ToolServerName,
  table: ToolTable,
  prefix = "",
): readonly CatalogueTool[] {
  const access = ["read", "write"] as const;
  return access.flatMap((kind) =>
    Object.entries(table[kind]).map(([name, summary]) => ({
      server,
      name: `${prefix}${name}`,
      access: kind,
      summary,
    })),
  );
}
