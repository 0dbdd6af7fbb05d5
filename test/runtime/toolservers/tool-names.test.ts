import assert from "node:assert/strict";
import { describe, it } from "mocha";
import * as z from "zod";
import type { ToolDefinition } from "../../../runtime/api/tool.ts";
import { TOOL_CATALOGUE } from "../../../runtime/api/tool-catalogue.ts";
import { codeTools } from "../../../runtime/toolservers/code/code-tools.ts";
import { demoCluster } from "../../../runtime/toolservers/demo/demo-cluster.ts";
import { gitTools } from "../../../runtime/toolservers/git/git-tools.ts";
import { helmTools } from "../../../runtime/toolservers/helm/helm-tools.ts";
import { kubernetesTools } from "../../../runtime/toolservers/kubernetes/kubernetes-tools.ts";
import { FakeClock } from "../../support/fake-clock.ts";

const clock = new FakeClock();
const cluster = demoCluster({ clock, name: "services-amer" });
const memories = {
  addMemory: () => Promise.reject(new Error("not called")),
  searchMemories: () => Promise.resolve([]),
  listMemories: () => Promise.resolve([]),
};
const SERVERS: Readonly<Record<string, readonly ToolDefinition[]>> = {
  k8s: kubernetesTools({ cluster, clock }),
  helm: helmTools({ cluster, clock }),
  github: gitTools({
    directory: "unused",
    clock,
    owner: "o",
    repo: "r",
    cluster: "c",
    searchPath: "",
  }),
  code: codeTools({ clock, memories }),
};

/** Fills only the agent's own memory, which the catalogue counts as reading and MCP as writing. */
const MEMORY = "add_memory";

describe("runtime/toolservers names", () => {
  for (const [server, tools] of Object.entries(SERVERS))
    for (const { name, description, hints, inputSchema } of tools)
      it(`${name} is in the catalogue of ${server}, with the hints and a schema that models understand`, () => {
        const known = TOOL_CATALOGUE.find((tool) => tool.server === server && tool.name === name);
        assert.ok(known, "not in the catalogue");
        if (name !== MEMORY) assert.equal(hints.readOnlyHint, known.access === "read");
        assert.equal(hints.openWorldHint, false);
        assert.ok(description.length > 20 && description.length < 500, description);
        const schema = z.toJSONSchema(inputSchema, { io: "input" });
        assert.equal(schema.type, "object");
        assert.equal(schema.additionalProperties, false);
        for (const [key, property] of Object.entries(schema.properties ?? {})) {
          assert.ok(typeof property === "object" && "type" in property, `${key} has no plain type`);
          assert.ok(property.description, `${key} is not described`);
        }
      });

  it("has no two tools of one name", () => {
    const names = Object.values(SERVERS).flatMap((tools) => tools.map(({ name }) => name));
    assert.equal(new Set(names).size, names.length);
  });
});
