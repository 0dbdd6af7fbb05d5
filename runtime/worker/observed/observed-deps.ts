import { refKey } from "../../api/names.ts";
import type { Clock } from "../../process/clock.ts";
import type { Meter } from "../../telemetry/meter.ts";
import { inSpan, streamInSpan, traceHeaders } from "../../telemetry/tracing.ts";
import type { ToolClient, TurnDeps } from "../turn-context.ts";
import { observedModel } from "./observed-model.ts";

/** The same dependencies of turns, every call a span and counted; traces go on in whatever is called. */
export function observedDeps<D extends TurnDeps>(deps: D, meter: Meter): D {
  const { clock, agents } = deps;
  return {
    ...deps,
    model: async (settings) =>
      observedModel(await deps.model(settings), { settings, meter, clock }),
    tools: observedTools(deps.tools, meter, clock),
    agents: {
      call: (call, signal) =>
        streamInSpan("invoke_agent", { kind: "client", attributes: { "url.full": call.url } }, () =>
          agents.call({ ...call, headers: { ...call.headers, ...traceHeaders() } }, signal),
        ),
      cancel: (task, signal) =>
        agents.cancel({ ...task, headers: { ...task.headers, ...traceHeaders() } }, signal),
    },
  };
}

function observedTools(tools: ToolClient, meter: Meter, clock: Clock): ToolClient {
  return {
    listTools: (server, headers, signal) =>
      tools.listTools(server, { ...headers, ...traceHeaders() }, signal),
    callTool: (call, signal) => {
      const server = refKey(call.server.ref);
      const attributes = {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": call.name,
        "gen_ai.tool.type": "extension",
      };
      return inSpan(`execute_tool ${call.name}`, { kind: "client", attributes }, async (span) => {
        const started = clock.monotonic();
        let outcome = "failed";
        try {
          const headers = { ...call.headers, ...traceHeaders() };
          const answer = await tools.callTool({ ...call, headers }, signal);
          outcome = answer.ok ? "ok" : "error";
          if (!answer.ok) span.setAttribute("error.type", "tool_error");
          return answer;
        } finally {
          meter.count("kagent_tool_calls_total", { server, tool: call.name, outcome });
          meter.observe(
            "kagent_tool_call_seconds",
            { server },
            (clock.monotonic() - started) / 1_000,
          );
        }
      });
    },
  };
}
