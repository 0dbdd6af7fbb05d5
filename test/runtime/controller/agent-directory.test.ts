import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { AgentDirectory, acceptance } from "../../../runtime/controller/agent-directory.ts";
import { callsTo, DEFAULT_MODEL, writtenAgent, writtenServer } from "./kagent-objects.ts";

function directory(): AgentDirectory {
  return new AgentDirectory({
    value: () => undefined,
    agentUrl: ({ namespace, name }) => `http://agents/${namespace}/${name}/`,
  });
}

const ref = (name: string) => ({ namespace: "kagent", name });

describe("runtime/controller/AgentDirectory", () => {
  it("keeps the members of a circle out and everybody else in, callers of a circle too", () => {
    const agents = directory();
    agents.load([
      DEFAULT_MODEL,
      writtenAgent("a", callsTo("b")),
      writtenAgent("b", callsTo("c")),
      writtenAgent("c", callsTo("a", "outside")),
      writtenAgent("caller", callsTo("a")),
      writtenAgent("outside"),
      writtenAgent("self", callsTo("self")),
    ]);
    const accepted = agents.agents().filter(({ config }) => config !== undefined);
    assert.deepEqual(
      accepted.map((entry) => entry.ref.name),
      ["caller", "outside"],
    );
    for (const name of ["a", "b", "c", "self"]) {
      const entry = agents.agent(ref(name));
      assert.ok(entry !== undefined);
      assert.match(acceptance(entry), /spec\.declarative\.tools\[\d\]/, name);
      assert.equal(agents.config(ref(name)), undefined);
    }
  });

  it("keeps nobody away for an object that is broken, and names that one", () => {
    const agents = directory();
    const rejected = agents.load([
      DEFAULT_MODEL,
      writtenAgent("sound"),
      writtenAgent("broken", { stream: "yes" }),
      writtenAgent("dangling", callsTo("nobody")),
      { kind: "Agent" },
      7,
      null,
    ]);
    assert.deepEqual(
      rejected.map(({ key }) => key),
      ["Agent/kagent/broken", ...Array<string>(3).fill("an object without kind and name")],
    );
    assert.deepEqual(
      rejected[0]?.violations.map(({ path }) => path),
      ["spec.declarative.stream"],
    );
    assert.deepEqual(
      agents.agents().map((entry) => [entry.ref.name, acceptance(entry)]),
      [
        ["dangling", "spec.declarative.tools[0].agent: Agent kagent/nobody does not exist"],
        ["sound", "Agent configuration accepted"],
      ],
    );
  });

  it("swaps everything at once: what is gone is gone, what came can be referred to", () => {
    const agents = directory();
    agents.load([writtenAgent("old")]);
    assert.match(agents.agent(ref("old"))?.violations[0]?.message ?? "", /default-model-config/);
    agents.load([DEFAULT_MODEL, writtenServer("s"), writtenAgent("new")]);
    assert.equal(agents.agent(ref("old")), undefined);
    assert.ok(agents.config(ref("new")) !== undefined);
    assert.deepEqual(
      [...agents.models(), ...agents.servers()].map(({ metadata }) => metadata.name),
      ["default-model-config", "s"],
    );
  });

  it("remembers what a server was found to offer", () => {
    const agents = directory();
    assert.deepEqual(agents.discovered(ref("s")), []);
    const tool = { name: "s_t", description: "d", inputSchema: { type: "object" }, hints: {} };
    agents.setDiscovered(ref("s"), [tool]);
    assert.deepEqual(agents.discovered(ref("s")), [tool]);
  });
});
