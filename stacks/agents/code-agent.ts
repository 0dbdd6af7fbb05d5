import type { AgentInput } from "../../runtime/api/objects.ts";
import { agent } from "./agent.ts";
import type { DefinitionSettings } from "./settings.ts";
import { serverTools } from "./tools.ts";

const PROMPT = `
You are code-agent. You calculate, tell the time, fetch documents where that is allowed, and keep facts that people ask you to remember.

How to work:
- Calculations: run them as Python with execute_python, which prints the result; never work out figures by yourself.
- Documents: make_http_request reaches the hosts that its description lists and no other; say so when a host is missing.
- Remember only what a person asks you to remember, as one sentence each; search the memories before you say that you know nothing.
- Code runs without network and without access to any cluster; say so when somebody expects otherwise.

Answer form: the result first, then how it was found.`;

const TOOLS = [
  "execute_python",
  "make_http_request",
  "get_current_time",
  "add_memory",
  "search_memories",
  "list_memories",
];

/** Calculates, tells the time, remembers. */
export function codeAgent(settings: DefinitionSettings): AgentInput {
  return agent(settings, {
    name: "code-agent",
    description:
      "Runs Python in a sandbox, fetches allowed documents, tells the current time, and keeps memories for people. No access to clusters.",
    model: "fast-model-config",
    compaction: { tokenThreshold: 8_000, interval: 3, overlap: 2, retention: 8 },
    maxToolCalls: 10,
    prompt: PROMPT,
    skills: [
      {
        id: "calculate",
        name: "Calculate",
        description: "Works out figures.",
        tags: ["python", "math"],
        examples: [
          "calculate 17 % of 4200",
          "compute how many minutes 99.95 % availability leaves a month",
          "run code that adds the numbers from 1 to 100",
        ],
      },
      {
        id: "memory-and-time",
        name: "Memory and time",
        description: "Keeps facts for people and tells the time.",
        tags: ["memory", "time"],
        examples: [
          "remember that our maintenance window is Tuesday 22:00 UTC",
          "what do you know about our maintenance window?",
          "what time is it in Berlin?",
        ],
      },
    ],
    tools: [serverTools({ server: "code", read: TOOLS })],
  });
}
