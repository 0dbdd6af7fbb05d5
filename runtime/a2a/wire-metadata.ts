import * as z from "zod";
import { Usage } from "../api/events.ts";
import { META, type ObjectRef, parseRef } from "../api/names.ts";

/** Metadata of A2A objects. */
export type Metadata = Record<string, unknown>;

/** What every update of one task says about it. */
export interface TaskIdentity {
  /** The agent that was asked. */
  readonly agent: ObjectRef;
  /** Owner of the task. */
  readonly user: string;
  readonly taskId: string;
  readonly contextId: string;
}

/** Prefixes of kagent's metadata keys, the one to be read first in front (kagent-api section 3.2). */
const PREFIXES = ["adk_", "kagent_"] as const;

/** Author of what people wrote. */
const USER = "user";

/** Keys that kagent's clients read on every update; `author` is `namespace/name`, or `user`. */
export function kagentMetadata(identity: TaskIdentity, author: string): Metadata {
  const { agent, user, taskId, contextId } = identity;
  const writer = author === USER ? { ...agent, name: USER } : parseRef(author, agent.namespace);
  const app = author === USER ? agent : writer;
  return {
    adk_app_name: identifier(`${app.namespace}__NS__${app.name}`),
    adk_user_id: user,
    adk_session_id: contextId,
    adk_invocation_id: taskId,
    adk_author: identifier(writer.name),
    [META.author]: author,
  };
}

/** Kagent's value under `key`, whichever prefix it has. */
export function kagentValue(metadata: Metadata | undefined, key: string): unknown {
  for (const prefix of PREFIXES) {
    const value = metadata?.[prefix + key];
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Tokens of a turn the way kagent's clients count them. */
export function usageMetadata(usage: Usage): Metadata {
  return {
    promptTokenCount: usage.inputTokens,
    candidatesTokenCount: usage.outputTokens,
    cachedContentTokenCount: usage.cachedTokens,
    totalTokenCount: usage.inputTokens + usage.outputTokens,
  };
}

const KagentUsage = z.object({
  promptTokenCount: z.int().min(0).default(0),
  candidatesTokenCount: z.int().min(0).default(0),
  cachedContentTokenCount: z.int().min(0).default(0),
});

/** Usage that an update or a task carries: ours, else kagent's, which counts no calls. */
export function readUsage(metadata: Metadata | undefined): Usage | undefined {
  const own = Usage.safeParse(metadata?.[META.usage]);
  if (own.success) return own.data;
  const kagent = KagentUsage.safeParse(kagentValue(metadata, "usage_metadata"));
  if (!kagent.success) return undefined;
  return {
    inputTokens: kagent.data.promptTokenCount,
    outputTokens: kagent.data.candidatesTokenCount,
    cachedTokens: kagent.data.cachedContentTokenCount,
    modelCalls: 0,
    toolCalls: 0,
  };
}

/** Who wrote an update: ours as `namespace/name`, kagent's as it is spelled there. */
export function readAuthor(metadata: Metadata | undefined): string | undefined {
  const author = metadata?.[META.author] ?? kagentValue(metadata, "author");
  return typeof author === "string" ? author : undefined;
}

function identifier(name: string): string {
  return name.replaceAll("-", "_");
}
