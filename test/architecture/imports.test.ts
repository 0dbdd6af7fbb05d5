import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { cruise, type ICruiseResult, type IForbiddenRuleType } from "dependency-cruiser";
import { describe, it } from "mocha";

const FOLDERS = ["runtime", "components", "infra", "stacks", "policy"].filter(existsSync);

/** Parts of the runtime that wrap one outside system, or none; they serve the roles. */
const PARTS = "kube|store|model|a2a|mcp|workflow|toolservers|guardrail";
/** Parts that run as a process of their own. */
const ROLES = "controller|worker|gateway|incidents|warmer|ui";

/** The folders of the runtime that may use each client library. */
const OWNERS: Readonly<Record<string, string>> = {
  "@kubernetes/client-node": "kube",
  "@ai-sdk/openai": "model",
  "@ai-sdk/provider": "model",
  kysely: "store",
  pg: "store",
  ollama: "model",
  "@a2a-js/sdk": "a2a",
  "@modelcontextprotocol/sdk": "mcp",
  redis: "incidents",
  commander: "cli",
};

/** Who may import whom; each rule is one row of the README's architecture section. */
const forbidden: IForbiddenRuleType[] = [
  { name: "no cycles", from: {}, to: { circular: true } },
  {
    name: "node:sqlite only in runtime/store",
    from: { pathNot: "^(test|runtime/store)/" },
    to: { path: "^(node:)?sqlite$" },
  },
  {
    name: "runtime/api is pure: itself, zod, the CEL library and node:crypto",
    from: { path: "^runtime/api/" },
    to: { pathNot: "^runtime/api/|node_modules/(zod|@marcbachmann/cel-js)/|^(node:)?crypto$" },
  },
  {
    name: "runtime stands alone",
    from: { path: "^runtime/" },
    to: { path: "^(infra|components|stacks|policy|test)/|node_modules/@pulumi/" },
  },
  {
    name: "telemetry and process are the floor",
    from: { path: "^runtime/(telemetry|process)/" },
    to: { path: "^runtime/(?!api/|telemetry/|process/)" },
  },
  {
    name: "telemetry does not know process",
    from: { path: "^runtime/telemetry/" },
    to: { path: "^runtime/process/" },
  },
  {
    name: "a part stands on the floor, not on another part",
    from: { path: `^runtime/(${PARTS})/` },
    to: { path: "^runtime/(?!api/|telemetry/|process/)", pathNot: "^runtime/$1/" },
  },
  {
    name: "a role does not know another role",
    from: { path: `^runtime/(${ROLES})/` },
    to: { path: `^runtime/(${ROLES}|local|cli)/`, pathNot: "^runtime/$1/" },
  },
  {
    name: "nothing imports the command line",
    from: { pathNot: "^(runtime/cli|test)/" },
    to: { path: "^runtime/cli/" },
  },
  {
    name: "Pulumi side sees only runtime/api",
    from: { path: "^(infra|components|stacks|policy)/" },
    to: { path: "^runtime/(?!api/)" },
  },
  {
    name: "agent definitions are data: themselves, runtime/api and zod",
    from: { path: "^stacks/agents/" },
    to: { pathNot: "^stacks/agents/|^runtime/api/|node_modules/zod/" },
  },
  {
    name: "components do not know who composes them",
    from: { path: "^components/" },
    to: { path: "^(infra|stacks|policy)/" },
  },
  {
    name: "infra does not know stacks",
    from: { path: "^infra/" },
    to: { path: "^(stacks|policy)/" },
  },
  { name: "stacks do not know policy", from: { path: "^stacks/" }, to: { path: "^policy/" } },
  {
    name: "policy sees runtime/api and @pulumi/policy",
    from: { path: "^policy/" },
    to: { path: "^(infra|components|stacks)/|node_modules/@pulumi/(?!policy/)" },
  },
  { name: "nothing imports test", from: { pathNot: "^test/" }, to: { path: "^test/" } },
  ...Object.entries(OWNERS).map(([library, folder]) => ({
    name: `${library} only in runtime/${folder}`,
    from: { path: "^(runtime|infra|components|stacks|policy)/", pathNot: `^runtime/(${folder})/` },
    to: { path: `node_modules/${library}/` },
  })),
];

describe("architecture", () => {
  it("imports only point the allowed way", async () => {
    const result = await cruise(FOLDERS, {
      validate: true,
      ruleSet: { forbidden },
      tsPreCompilationDeps: true,
      doNotFollow: { path: "node_modules" },
      enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "types"] },
    });
    const { summary } = result.output as ICruiseResult;
    assert.ok(summary.totalCruised > 15, "cruised nothing: check the paths");
    assert.deepEqual(
      summary.violations.map((v) => `${v.rule.name}: ${v.from} -> ${v.to}`),
      [],
    );
  }).timeout(60_000);
});
