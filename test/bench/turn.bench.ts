import { randomUUID } from "node:crypto";
import * as z from "zod";
import type { ToolDefinition } from "../../runtime/api/tool.ts";
import { READ_ONLY } from "../../runtime/api/tool.ts";
import { localUpstream } from "../../runtime/gateway/local-upstream.ts";
import { mcpRoutes } from "../../runtime/gateway/mcp-routes.ts";
import { McpClientPool } from "../../runtime/mcp/client-pool.ts";
import { ollamaModel } from "../../runtime/model/ollama.ts";
import { systemClock } from "../../runtime/process/clock.ts";
import { httpService } from "../../runtime/process/http.ts";
import { openStore } from "../../runtime/store/open-store.ts";
import { silentLog } from "../../runtime/telemetry/log.ts";
import { Tasks } from "../../runtime/worker/tasks.ts";
import { toolClient } from "../../runtime/worker/tool-client.ts";
import { agentConfig, serverUse } from "../support/agent-config.ts";
import { ScriptedOllama } from "../support/scripted-ollama.ts";
import { type Figure, median } from "./figure.ts";

/** Model calls of one turn: all but the last call one tool. */
const CALLS = 10;
const WARM_UP = 5;
const TURNS = 30;

/**
 * Our own time per model call: a turn over real HTTP to a scripted Ollama that answers at once, real MCP
 * calls in between and the store on disk, less the same model calls made bare.
 */
export async function* turnBench(): AsyncGenerator<Figure, void, void> {
  const ollama = await ScriptedOllama.start({
    onChat: (_, index) => ({ lines: index % CALLS === CALLS - 1 ? answer : toolCall(index) }),
  });
  const gateway = httpService(
    { name: "bench", host: "127.0.0.1", port: 0 },
    mcpRoutes({ routes: [route], log: silentLog, clock: systemClock }),
  );
  await gateway.start(AbortSignal.timeout(5_000));
  const store = await openStore({ path: ":memory:" });
  const pool = new McpClientPool({ log: silentLog });
  const settings = { ref: { namespace: "b", name: "m" }, provider: "Ollama", model: "m" };
  const model = ollamaModel({ settings, host: ollama.url, clock: systemClock });
  const use = serverUse();
  const server = { ...use.server, url: `http://127.0.0.1:${gateway.port()}/mcp/bench` };
  const config = agentConfig({
    toolServers: [{ ...use, server }],
    limits: { ...agentConfig().limits, maxModelCalls: 100, maxToolCalls: 100 },
  });
  const tasks = new Tasks({
    sessions: store.sessions,
    config: () => config,
    model: () => Promise.resolve(model),
    tools: toolClient(pool),
    agents: {
      call: () => {
        throw new Error("no agents here");
      },
      cancel: () => Promise.reject(new Error("no agents here")),
    },
    clock: systemClock,
    newId: randomUUID,
    random: Math.random,
    log: silentLog,
  });
  try {
    const turns: number[] = [];
    const bare: number[] = [];
    for (let run = 0; run < WARM_UP + TURNS; run++) {
      const whole = await timed(() => oneTurn(tasks));
      const models = await timed(() => bareCalls(model));
      if (run < WARM_UP) continue;
      turns.push(whole / CALLS);
      bare.push(models / CALLS);
    }
    const own = turns.map((ms, index) => ms - (bare[index] ?? 0));
    yield {
      bench: "turn",
      scenario: "own time per model call, one MCP call each, store",
      unit: "ms",
      ours: median(own),
      goal: "<= 15",
    };
    yield {
      bench: "turn",
      scenario: "whole time per model call",
      unit: "ms",
      ours: median(turns),
      peer: median(bare),
      peerName: "bare model call",
    };
  } finally {
    await tasks.close();
    await pool.close();
    await gateway.stop();
    await store.close();
    await ollama.close();
  }
}

const route = {
  name: "bench",
  targets: [{ name: "bench", upstream: localUpstream([echo()], { log: silentLog }) }],
};

function echo(): ToolDefinition {
  return {
    name: "echo",
    description: "Gives back what it gets.",
    inputSchema: z.strictObject({ n: z.number() }),
    hints: READ_ONLY,
    call: (args) => Promise.resolve({ text: JSON.stringify(args) }),
  };
}

const done = {
  done: true,
  done_reason: "stop",
  prompt_eval_count: 10,
  eval_count: 5,
  total_duration: 1,
  load_duration: 0,
};
const line = (message: object) => ({
  model: "m",
  created_at: "2026-01-01T00:00:00Z",
  message,
  done: false,
});
const answer = [
  line({ role: "assistant", content: "done" }),
  { ...line({ role: "assistant", content: "" }), ...done },
];
const toolCall = (n: number) => [
  line({
    role: "assistant",
    content: "",
    tool_calls: [{ function: { name: "bench_echo", arguments: { n } } }],
  }),
  { ...line({ role: "assistant", content: "" }), ...done },
];

async function oneTurn(tasks: Tasks): Promise<void> {
  const agent = { namespace: "kagent", name: "tester" };
  const running = await tasks.send(
    { agent, messageId: randomUUID(), parts: [{ text: "go" }], metadata: {} },
    { user: "bench", headers: {} },
  );
  let state = "";
  for await (const update of running.updates)
    if (update.kind === "event" && update.event.body.type === "status")
      state = update.event.body.state;
  if (state !== "completed") throw new Error(`the turn ended ${state}`);
}

async function bareCalls(model: ReturnType<typeof ollamaModel>): Promise<void> {
  const request = { messages: [{ role: "user", text: "go" }], tools: [] } as const;
  for (let call = 0; call < CALLS; call++) {
    let last = "";
    for await (const { type } of model.chat(request, AbortSignal.timeout(10_000))) last = type;
    if (last !== "done") throw new Error("the model did not finish");
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}
