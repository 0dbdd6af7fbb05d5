import * as z from "zod";
import type { Caller, TaskService } from "../a2a/task-service.ts";
import { type Event, textOf } from "../api/events.ts";
import { HEADERS, parseRef, refKey } from "../api/names.ts";
import type { ToolDescription } from "../api/tool.ts";
import type {
  CallContext,
  RequestContext,
  ToolProvider,
  ToolResult,
} from "../mcp/tool-provider.ts";
import type { AgentDirectory } from "./agent-directory.ts";

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

/** What the platform's MCP endpoint needs. */
export interface PlatformToolsDeps {
  readonly directory: AgentDirectory;
  readonly tasks: TaskService;
  /** User of requests that name none. */
  readonly defaultUser: string;
}

/** The platform as an MCP server (kagent-api section 3.4): `list_agents` and `invoke_agent`. */
export function platformTools(deps: PlatformToolsDeps): ToolProvider {
  return {
    listTools: () => Promise.resolve(TOOLS),
    callTool: async (name, args, context) => {
      if (name === "list_agents") return listAgents(deps);
      if (name === "invoke_agent") return await invokeAgent(deps, args, context);
      return failure(`there is no tool ${name}; tools: list_agents, invoke_agent`);
    },
  };
}

function listAgents({ directory }: PlatformToolsDeps): ToolResult {
  const agents = directory
    .agents()
    .flatMap(({ ref, config }) =>
      config === undefined ? [] : [{ ref: refKey(ref), description: config.description }],
    );
  return result({ agents }, false);
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
  if (deps.directory.config(agent) === undefined)
    return failure(`there is no agent ${refKey(agent)}; list_agents names them`);
  const caller = callerOf(deps, context);
  const running = await deps.tasks.send(
    {
      agent,
      messageId: crypto.randomUUID(),
      parts: [{ text: task }],
      metadata: {},
      ...(contextId === undefined ? {} : { contextId }),
    },
    caller,
  );
  const cancel = (): void => {
    // The client has gone: nobody is left to tell of a failure to cancel.
    deps.tasks.cancel(agent, running.taskId, caller).catch(() => undefined);
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
  const { [HEADERS.traceparent]: traceparent } = context.headers;
  return { user, headers: traceparent === undefined ? {} : { [HEADERS.traceparent]: traceparent } };
}

function result(structured: Readonly<Record<string, unknown>>, isError: boolean): ToolResult {
  const text = JSON.stringify(structured);
  return { text, structured, isError, parts: [{ text }] };
}

function failure(text: string): ToolResult {
  return { text, isError: true, parts: [{ text }] };
}
