import { describe } from "mocha";
import { testCases } from "./cases/case-tests.ts";
import { REMOTE_MCP_SERVER_CASES } from "./cases/remote-mcp-server-cases.ts";

describe("runtime/api/remote-mcp-server", () => {
  testCases(REMOTE_MCP_SERVER_CASES);
});
