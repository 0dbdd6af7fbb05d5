import { ScriptedTasks } from "../../support/scripted-tasks.ts";
import { agent, STANDARD_AGENTS } from "../../support/standard-agents.ts";
import { taskServiceContract } from "./task-service-contract.ts";

taskServiceContract("test/support/ScriptedTasks", async () => ({
  tasks: new ScriptedTasks(STANDARD_AGENTS),
  answers: agent("answers"),
  hangs: agent("hangs"),
  asks: agent("asks"),
  consent: [{ data: { decision_type: "approve" } }],
  fails: agent("fails"),
  close: async () => {},
}));
