import type { Caller, TaskService } from "../../a2a/task-service.ts";
import type { AccessPolicy } from "../../api/agent-config.ts";
import type { Cluster } from "../../api/cluster.ts";
import type { ObjectRef } from "../../api/names.ts";
import type { ToolDescription } from "../../api/tool.ts";
import type { ToolResult } from "../../mcp/tool-provider.ts";
import type { Clock } from "../../process/clock.ts";
import type { AgentMemoryStore } from "../../store/agent-memory-store.ts";
import type { ApprovalStore } from "../../store/approval-store.ts";
import type { FeedbackStore } from "../../store/feedback-store.ts";
import type { SessionStore } from "../../store/session-store.ts";
import type { ShareStore } from "../../store/share-store.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { AdmissionDeps } from "../admission/admit.ts";
import type { AgentDirectory } from "../agent-directory.ts";
import type { ModelLister } from "../model-lister.ts";
import type { Namespaces } from "../object-cache.ts";

/** The directory as the HTTP API reads it. */
export type DirectoryView = Pick<
  AgentDirectory,
  "agent" | "agents" | "models" | "server" | "servers" | "discovered"
>;

/** Tools of a RemoteMCPServer, with its headers resolved. */
export interface ToolAccess {
  /** @returns `undefined` when there is no such server. @throws Error for people when it does not answer. */
  list(server: ObjectRef, signal: AbortSignal): Promise<readonly ToolDescription[] | undefined>;
  call(
    server: ObjectRef,
    tool: string,
    args: Readonly<Record<string, unknown>>,
    signal: AbortSignal,
  ): Promise<ToolResult>;
}

/** What the writing half works on; a laptop reads its objects from files and has none of it. */
export interface ClusterAccess {
  readonly cluster: Cluster;
  /** Namespace of objects that name none (KAGENT_NAMESPACE). */
  readonly namespace: string;
  /** Namespaces that this platform looks after. */
  readonly watched: Namespaces;
  /** Who may change objects; both lists empty: everybody who may call. */
  readonly writers: AccessPolicy;
  readonly models: ModelLister;
}

/** What the HTTP API reads from and writes to. What is absent answers 501 and says why. */
export interface HttpApiDeps {
  readonly directory: DirectoryView;
  readonly sessions: SessionStore;
  /** Who calls, as the edge established it. */
  readonly caller: (request: Request) => Caller;
  /** Whether everything has started. */
  readonly ready: () => boolean;
  /** Versions that `/version` tells. */
  readonly version: { readonly version: string; readonly commit: string };
  readonly access?: ClusterAccess;
  readonly memories?: AgentMemoryStore;
  /** Judges objects before they are stored (`/api/validate`). */
  readonly admission?: AdmissionDeps;
  /** What waits, and waited, for people. */
  readonly approvals?: ApprovalStore;
  readonly shares?: ShareStore;
  readonly feedback?: FeedbackStore;
  readonly tools?: ToolAccess;
  /** Shows tasks; from the store alone unless set. */
  readonly tasks?: Pick<TaskService, "get">;
  /** The machine's unless set. */
  readonly clock?: Pick<Clock, "now">;
  /** Random UUIDs unless set. */
  readonly newId?: () => string;
  readonly log?: Logger;
}
