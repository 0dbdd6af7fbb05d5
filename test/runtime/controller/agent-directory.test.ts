import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import type { Kind } from "../../../runtime/api/names.ts";
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

describe("runtime/controller/AgentDirectory object by object", () => {
  const value = (_: string, { name }: { readonly name: string }) =>
    name === "there" ? "You come from elsewhere." : undefined;
  const agentUrl = () => "http://agent/";
  const systemMessageFrom = (name: string) => ({
    systemMessage: undefined,
    systemMessageFrom: { type: "ConfigMap", name, key: "k" },
  });

  const objects = [
    DEFAULT_MODEL,
    writtenServer("s"),
    writtenAgent("a"),
    writtenAgent("a", callsTo("b")),
    writtenAgent("b", callsTo("a")),
    writtenAgent("b", callsTo("c")),
    writtenAgent("c", {
      tools: [{ type: "McpServer", mcpServer: { kind: "RemoteMCPServer", name: "s" } }],
    }),
    writtenAgent("c", systemMessageFrom("absent")),
    writtenAgent("d", { ...callsTo("c"), ...systemMessageFrom("there") }),
    writtenAgent("d", { stream: "yes" }),
  ];
  const view = (directory: AgentDirectory) => [
    directory.agents().map(({ ref: at, config, violations }) => [at, config?.hash, violations]),
    directory.models(),
    directory.servers(),
  ];

  it("comes to the same as all at once, and tells everybody to whom a change matters", () => {
    const step = fc.record({
      object: fc.constantFrom(...objects),
      removes: fc.boolean(),
      looks: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
        const gradual = new AgentDirectory({ value, agentUrl });
        const all = new Map<string, object>();
        const told = new Set<string>();
        let before = new Map<string, string>();
        for (const { object, removes, looks } of steps) {
          const { kind, metadata } = object as { kind: Kind; metadata: { name: string } };
          const key = `${kind}/${metadata.name}`;
          if (removes) all.delete(key);
          else all.set(key, object);
          const keys = removes ? gradual.remove(kind, ref(metadata.name)) : gradual.put(object);
          for (const agent of keys) told.add(agent);
          if (!looks) continue;
          const now = new Map(
            gradual.agents().map((entry) => {
              const said = JSON.stringify([entry.config?.hash, entry.violations]);
              return [`kagent/${entry.ref.name}`, said];
            }),
          );
          for (const [agent, said] of now)
            assert.ok(before.get(agent) === said || told.has(agent), `${agent} was not told of`);
          before = now;
          told.clear();
        }
        const once = new AgentDirectory({ value, agentUrl });
        once.load([...all.values()]);
        assert.deepEqual(view(gradual), view(once));
      }),
    );
  });

  it("resolves anew only those whom a change concerns", () => {
    const count = 1_000;
    let asked = 0;
    const directory = new AgentDirectory({
      agentUrl,
      value: () => {
        asked += 1;
        return "You count.";
      },
    });
    const hub = 10;
    const agents = Array.from({ length: count }, (_, at) =>
      writtenAgent(`a${at}`, {
        ...systemMessageFrom(`c${at}`),
        ...(at < hub ? {} : callsTo(`a${at % hub}`)),
      }),
    );
    directory.load([DEFAULT_MODEL, ...agents]);
    assert.equal(directory.agents().filter(({ config }) => config !== undefined).length, count);
    assert.equal(asked, count);
    assert.deepEqual(directory.touch("ConfigMap/kagent/c500"), ["kagent/a500"]);
    directory.agents();
    assert.equal(asked, count + 1);
    const told = directory.put(writtenAgent("a3", systemMessageFrom("c3")));
    assert.equal(told.length, count / hub);
    directory.agents();
    assert.equal(asked, count + 1 + count / hub);
  });

  it("takes a new status of an Agent without resolving anything", () => {
    const directory = new AgentDirectory({ value, agentUrl });
    const written = writtenAgent("a") as { metadata: object };
    const stored = (status: object) => ({
      ...written,
      metadata: { ...written.metadata, generation: 1 },
      status,
    });
    directory.load([DEFAULT_MODEL, stored({})]);
    const before = directory.config(ref("a"));
    assert.deepEqual(directory.put(stored({ observedGeneration: 1 })), []);
    assert.equal(directory.config(ref("a")), before);
    assert.equal(directory.agent(ref("a"))?.object.status?.observedGeneration, 1);
  });

  it("says what has to be read before it says anything else", () => {
    let isUnread = true;
    const directory = new AgentDirectory({
      agentUrl,
      isUnread: (id) => isUnread && id === "ConfigMap/kagent/there",
      value: (namespace, source) => (isUnread ? undefined : value(namespace, source)),
    });
    directory.load([DEFAULT_MODEL, writtenAgent("a", systemMessageFrom("there"))]);
    const entry = directory.agent(ref("a"));
    assert.deepEqual(entry?.unread, ["ConfigMap/kagent/there"]);
    assert.equal(entry.config, undefined);
    isUnread = false;
    assert.deepEqual(directory.touch("ConfigMap/kagent/there"), ["kagent/a"]);
    assert.match(directory.config(ref("a"))?.instruction ?? "", /from elsewhere/);
  });
});
