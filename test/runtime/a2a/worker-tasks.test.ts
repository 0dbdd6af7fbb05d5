import { randomUUID } from "node:crypto";
import { refKey } from "../../../runtime/api/names.ts";
import { systemClock } from "../../../runtime/process/clock.ts";
import { openStore } from "../../../runtime/store/open-store.ts";
import { Tasks } from "../../../runtime/worker/tasks.ts";
import { agentConfig } from "../../support/agent-config.ts";
import { ScriptedModel, type ScriptedStep } from "../../support/scripted-model.ts";
import { agent } from "../../support/standard-agents.ts";
import { Outside } from "../worker/turn-harness.ts";
import { taskServiceContract } from "./task-service-contract.ts";

const QUESTION = { questions: [{ question: "Shall I?" }] };
const ANSWER = { decision_type: "approve", ask_user_answers: [{ answer: ["yes"] }] };

/** What the models of the agents say, whoever asks. */
const STEPS: Readonly<Record<string, readonly ScriptedStep[]>> = {
  answers: [{ text: "forty-two" }],
  hangs: ["hang"],
  asks: [{ calls: [["ask_user", QUESTION]] }, { text: "done" }],
  fails: [{ throws: new Error("the model is away") }],
};

// the worker's tasks behind the same edge as the scripted ones
taskServiceContract("runtime/worker/Tasks", async () => {
  const store = await openStore({ path: ":memory:" });
  const asking = new ScriptedModel(...(STEPS["asks"] ?? [])); // one for both turns of its task
  const configs = new Map(
    Object.keys(STEPS).map((name) => {
      const ref = agent(name);
      const model = { ref, provider: "Ollama", model: name };
      return [refKey(ref), agentConfig({ ref, model })];
    }),
  );
  const tasks = new Tasks({
    ...new Outside().deps(asking),
    model: async ({ model }) =>
      model === "asks" ? asking : new ScriptedModel(...(STEPS[model] ?? [])),
    clock: systemClock,
    newId: randomUUID,
    sessions: store.sessions,
    config: (ref) => configs.get(refKey(ref)),
  });
  return {
    tasks,
    answers: agent("answers"),
    hangs: agent("hangs"),
    asks: agent("asks"),
    consent: [{ data: ANSWER }],
    fails: agent("fails"),
    close: async () => {
      await tasks.close();
      await store.close();
    },
  };
});
