import type { AccessRules } from "../process/access.ts";
import type { Clock } from "../process/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import type { RequestContext, ToolProvider } from "./tool-provider.ts";

/** A resource in a list (specification 2025-11-25, Resources). */
interface ResourceDescription {
  readonly uri: string;
  readonly name: string;
  readonly description?: string;
  readonly mimeType?: string;
}

/** Where the resources of an MCP server come from. */
export interface ResourceProvider {
  /** Every resource the caller may read. */
  listResources(context: RequestContext): Promise<readonly ResourceDescription[]>;
  /** The content of one; `undefined`: there is none of that address. */
  readResource(
    uri: string,
    context: RequestContext,
  ): Promise<{ readonly mimeType: string; readonly text: string } | undefined>;
}

/** Something that clients with a session are told. */
export type Change =
  | { readonly kind: "tools" }
  | { readonly kind: "resource"; readonly uri: string };

/** Sessions of a server; without them each request stands alone and clients are told of no changes. */
export interface SessionOptions {
  readonly clock: Clock;
  /** Ends all sessions and the streams they hold. */
  readonly signal: AbortSignal;
  /** Most sessions at once; 1000 unless set. The one that is idle longest makes room, else 503. */
  readonly max?: number;
  /** How long a session without a request is kept in milliseconds; 30 min unless set. */
  readonly idleMs?: number;
  /** Tells of changes to its listener until the returned function is called. */
  readonly changes?: (listener: (change: Change) => void) => () => void;
}

/** An MCP server over HTTP. */
export interface McpServerOptions {
  /** How the server introduces itself. */
  readonly name: string;
  readonly version: string;
  /** For the model of the client: what the server is for. */
  readonly instructions?: string;
  readonly tools: ToolProvider;
  readonly resources?: ResourceProvider;
  readonly log: Logger;
  /** Path of the endpoint; `/mcp` unless set. */
  readonly path?: string;
  /** Unset: any `Host` and `Origin`, for servers that only a cluster reaches. */
  readonly access?: AccessRules;
  /** Largest request body in bytes; 4 MiB unless set, as the SDK has it. */
  readonly maxBodyBytes?: number;
  /** Unset: stateless. */
  readonly sessions?: SessionOptions;
}
