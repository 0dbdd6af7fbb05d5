import { describe } from "mocha";
import { AGENT_CASES } from "./cases/agent-cases.ts";
import { testCases } from "./cases/case-tests.ts";

describe("runtime/api/agent", () => {
  testCases(AGENT_CASES);
});
