import * as z from "zod";
import { withRules } from "./cel.ts";
import { TypedReference } from "./typed-reference.ts";
import { HeaderSource } from "./value-source.ts";

/** What an Agent uses of one MCP server. */
const McpServerTool = withRules(
  z.strictObject({
    ...TypedReference.shape,
    toolNames: z
      .array(z.string())
      .max(50)
      .describe("Tools the Agent may call, as the server spells them; all when empty.")
      .optional(),
    requireApproval: z
      .array(z.string())
      .max(50)
      .describe("Those of toolNames that wait for a person.")
      .optional(),
    allowedHeaders: z
      .array(z.string())
      .describe("Headers of the incoming request that are passed on to the server.")
      .optional(),
  }),
  [
    {
      rule: "!has(self.requireApproval) || self.requireApproval.all(x, has(self.toolNames) && x in self.toolNames)",
      message: "every tool in requireApproval must be in toolNames too",
    },
  ],
);

/** One entry of an Agent's tools: an MCP server, or another Agent over A2A. */
export const AgentTool = withRules(
  z.strictObject({
    type: z.enum(["McpServer", "Agent"]).optional(),
    mcpServer: McpServerTool.describe("Tools of an MCP server.").optional(),
    agent: TypedReference.describe("Another Agent as one tool.").optional(),
    isolateSessions: z
      .boolean()
      .describe("A new session of the other Agent for each call.")
      .optional(),
    headersFrom: z
      .array(HeaderSource)
      .describe("Headers of every request to the tool; they win over the server's own.")
      .optional(),
  }),
  [
    {
      rule: "!(has(self.mcpServer) && self.type != 'McpServer')",
      message: "mcpServer needs type McpServer",
    },
    {
      rule: "!(!has(self.mcpServer) && self.type == 'McpServer')",
      message: "mcpServer is required for type McpServer",
    },
    { rule: "!(has(self.agent) && self.type != 'Agent')", message: "agent needs type Agent" },
    {
      rule: "!(!has(self.agent) && self.type == 'Agent')",
      message: "agent is required for type Agent",
    },
    {
      rule: "!(has(self.isolateSessions) && self.type != 'Agent')",
      message: "isolateSessions needs type Agent",
    },
  ],
);
/** One entry of an Agent's tools. */
export type AgentTool = z.output<typeof AgentTool>;
