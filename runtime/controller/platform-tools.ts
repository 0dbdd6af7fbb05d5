import * as z from "zod";
import { type Caller, type RunningTask, TaskError } from "../a2a/task-service.ts";
import { accessPolicy, mayCall } from "../api/access.ts";
import { type Event, textOf } from "../api/events.ts";
import { HEADERS, parseRef, refKey } from "../api/names.ts";
import type { ToolDescription } from "../api/tool.ts";
import type { ResourceProvider, SessionOptions } from "../mcp/server-options.ts";
import type {
  CallContext,
  RequestContext,
  ToolProvider,
  ToolResult,
} from "../mcp/tool-provider.ts";
import { groupNames } from "../process/auth/identity.ts";
import type { Clock } from "../process/clock.ts";
import type { AgentDirectory, AgentEntry } from "./agent-directory.ts";
import { isAccepted, isReady } from "./http/agents.ts";
import type { TurnService } from "./proxy/agent-front.ts";

/** Longest task that one call may hand over, in characters. */
const MAX_TASK = 100_000;

const InvokeArgs = z.strictObject({
  agent: z.string().min(1).max(320).describe("Agent as namespace/name"),
  task: z.string().min(1).max(MAX_TASK).describe("What the agent is asked"),
  context_id: z.string().max(128).describe("Continues a conversation").optional(),
});

const TOOLS: readonly ToolDescription[] = [
  {
    name: "list_agents",
    description: "Lists the agents of the platform that can be invoked, with what they do.",
    inputSchema: { type: "object", properties: {} },
    hints: { readOnlyHint: true, openWorldHint: false },
  },
  {
    name: "invoke_agent",
    description: "Asks an agent of the platform and returns its answer.",
    inputSchema: z.toJSONSchema(InvokeArgs, { io: "input" }),
    hints: { readOnlyHint: false, destructiveHint: false, openWorldHint: true },
  },
];

/** Address of the list of agents as a resource. */
const AGENTS_URI = "kagent://agents";
/** 5 s between looks at the list, while somebody has a session: agents come and go by people's hands. */
const LOOK_MS = 5_000;

/** What the platform's MCP endpoint needs. */
export interface PlatformToolsDeps {
  readonly directory: Pick<AgentDirectory, "agent" | "agents">;
  readonly tasks: TurnService;
  /** User of requests that name none. */
  readonly defaultUser: string;
  /** Where agents run: in this process unless set. */
  readonly where?: "in process" | "in a cluster";
}

/** The platform as an MCP server (kagent-api section 3.4): `list_agents` and `invoke_agent`. */
export function platformTools(deps: PlatformToolsDeps): ToolProvider {
  return {
    listTools: () => Promise.resolve(TOOLS),
    callTool: async (name, args, context) => {
      if (name === "list_agents")
        return result({ agents: agentsFor(deps, callerOf(deps, context)) }, false);
      if (name === "invoke_agent") return await invokeAgent(deps, args, context);
      return failure(`there is no tool ${name}; tools: list_agents, invoke_agent`);
    },
  };
}

/** The agents that a caller may invoke, as a resource. */
export function agentResources(deps: PlatformToolsDeps): ResourceProvider {
  return {
    listResources: () =>
      Promise.resolve([
        {
          uri: AGENTS_URI,
          name: "agents",
          description: "Agents of the platform that can be invoked.",
          mimeType: "application/json",
        },
      ]),
    readResource: (uri, context) => {
      if (uri !== AGENTS_URI) return Promise.resolve(undefined);
      const text = JSON.stringify(agentsFor(deps, callerOf(deps, context)));
      return Promise.resolve({ mimeType: "application/json", text });
    },
  };
}

/** Tells sessions when agents come, go, or are described anew; to be handed to the MCP server. */
export function agentChanges(
  deps: PlatformToolsDeps,
  clock: Clock,
): NonNullable<SessionOptions["changes"]> {
  const told = (): string =>
    JSON.stringify(
      deps.directory
        .agents()
        .filter((entry) => isInvocable(entry, deps))
        .map(shown),
    );
  return (listener) => {
    let last = told();
    let stop = (): void => undefined;
    const look = (): void => {
      const now = told();
      if (now !== last) listener({ kind: "resource", uri: AGENTS_URI });
      last = now;
      stop = clock.schedule(LOOK_MS, look);
    };
    stop = clock.schedule(LOOK_MS, look);
    return () => {
      stop();
    };
  };
}

function agentsFor(deps: PlatformToolsDeps, caller: Caller): readonly object[] {
  return deps.directory
    .agents()
    .filter((entry) => isInvocable(entry, deps) && isFor(entry, caller))
    .map(shown);
}

function shown({ ref, object }: AgentEntry): object {
  return { ref: refKey(ref), description: object.spec.description ?? "" };
}

function isInvocable(entry: AgentEntry, { where = "in process" }: PlatformToolsDeps): boolean {
  return isAccepted(entry) && isReady(entry, where);
}

function isFor({ object }: AgentEntry, caller: Caller): boolean {
  return mayCall(accessPolicy(object.metadata.annotations), caller);
}

async function invokeAgent(
  deps: PlatformToolsDeps,
  args: Readonly<Record<string, unknown>>,
  context: CallContext,
): Promise<ToolResult> {
  const parsed = InvokeArgs.safeParse(args);
  if (!parsed.success)
    return failure(
      parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
    );
  const { agent: key, task, context_id: contextId } = parsed.data;
  const agent = parseRef(key);
  const caller = callerOf(deps, context);
  const entry = deps.directory.agent(agent);
  if (entry === undefined || !isInvocable(entry, deps) || !isFor(entry, caller))
    return failure(`there is no agent ${refKey(agent)}; list_agents names them`);
  const request = {
    agent,
    messageId: crypto.randomUUID(),
    parts: [{ text: task }],
    metadata: {},
    ...(contextId === undefined ? {} : { contextId }),
  };
  try {
    return await followed(
      key,
      await deps.tasks.send(request, caller),
      (taskId) => {
        // The client has gone: nobody is left to tell of a failure to cancel.
        deps.tasks.cancel(agent, taskId, caller).catch(() => undefined);
      },
      context,
    );
  } catch (error) {
    if (error instanceof TaskError) return failure(error.message);
    throw error;
  }
}

/** Takes a turn to its end, tells of its progress, and stops it when the client leaves. */
async function followed(
  key: string,
  running: RunningTask,
  stop: (taskId: string) => void,
  context: CallContext,
): Promise<ToolResult> {
  const cancel = (): void => {
    stop(running.taskId);
  };
  context.signal.addEventListener("abort", cancel, { once: true });
  try {
    let last: Event | undefined;
    let answer = "";
    let count = 0;
    for await (const update of running.updates) {
      if (update.kind !== "event") continue;
      last = update.event;
      if (last.body.type === "message" && last.body.role === "agent")
        answer = textOf(last.body.parts);
      context.progress({ progress: ++count, message: last.body.type });
    }
    return ended(key, answer, running.contextId, last);
  } finally {
    context.signal.removeEventListener("abort", cancel);
  }
}

function ended(
  key: string,
  answer: string,
  contextId: string,
  last: Event | undefined,
): ToolResult {
  const status = last?.body.type === "status" ? last.body : undefined;
  const state = status?.state ?? "failed";
  const text = answer === "" ? (status?.error?.message ?? `the task ended ${state}`) : answer;
  return result({ agent: key, text, context_id: contextId }, state !== "completed");
}

function callerOf({ defaultUser }: PlatformToolsDeps, context: RequestContext): Caller {
  const user = context.user === "" ? defaultUser : context.user;
  const { [HEADERS.traceparent]: traceparent, [HEADERS.userGroups]: groups } = context.headers;
  const headers = traceparent === undefined ? {} : { [HEADERS.traceparent]: traceparent };
  return { user, groups: groupNames(groups), headers };
}

function result(structured: Readonly<Record<string, unknown>>, isError: boolean): ToolResult {
  const text = JSON.stringify(structured);
  return { text, structured, isError, parts: [{ text }] };
}

function failure(text: string): ToolResult {
  return { text, isError: true, parts: [{ text }] };
}
