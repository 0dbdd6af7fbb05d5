import { suggestion } from "../api/issue-message.ts";
import type { Agent } from "../api/objects.ts";
import { BUILTIN_PROMPTS, BUILTIN_PROMPTS_NAME } from "./builtin-prompts.ts";
import { renderPrompt } from "./prompt-template.ts";
import type { Resolution } from "./resolve-values.ts";

type Declarative = NonNullable<Agent["spec"]["declarative"]>;
type DataSource = NonNullable<NonNullable<Declarative["promptTemplate"]>["dataSources"]>[number];
type Skills = NonNullable<Agent["spec"]["skills"]>;

const PATH = "spec.declarative.systemMessage";

/**
 * The system message of an Agent: its own, or that of a ConfigMap or Secret; expanded as a template when it has data
 * sources (kagent-api section 2.6).
 *
 * @param toolNames - Names of the tools of MCP servers, for `.ToolNames`.
 */
export function resolvePrompt(
  resolution: Resolution,
  agent: Agent,
  declarative: Declarative,
  toolNames: readonly string[],
): string | undefined {
  const sources = declarative.promptTemplate?.dataSources ?? [];
  checkSources(resolution, sources);
  const message = messageOf(resolution, declarative);
  if (message === undefined || sources.length === 0) return message?.text;
  const rendered = renderPrompt(message.text, {
    variables: {
      AgentName: agent.metadata.name,
      AgentNamespace: resolution.namespace,
      Description: agent.spec.description ?? "",
      ToolNames: toolNames,
      SkillNames: skillNames(agent.spec.skills),
    },
    include: (key) => include(resolution, sources, key),
  });
  if (rendered.ok) return rendered.text;
  for (const problem of rendered.problems) resolution.problem(message.path, problem);
  return undefined;
}

/** The message as it is written, and where. */
function messageOf(
  resolution: Resolution,
  { systemMessage = "", systemMessageFrom }: Declarative,
): { readonly text: string; readonly path: string } | undefined {
  if (systemMessage !== "") return { text: systemMessage, path: PATH };
  if (systemMessageFrom === undefined) {
    resolution.problem(PATH, "is required, here or by systemMessageFrom");
    return undefined;
  }
  const path = `${PATH}From`;
  const text = resolution.value(systemMessageFrom, path);
  return text === undefined ? undefined : { text, path };
}

function checkSources(resolution: Resolution, sources: readonly DataSource[]): void {
  for (const [index, { kind = "", apiGroup = "" }] of sources.entries()) {
    const at = `spec.declarative.promptTemplate.dataSources[${index}]`;
    if (kind !== "" && kind !== "ConfigMap")
      resolution.problem(`${at}.kind`, `${kind} holds no fragments of prompts; use a ConfigMap`);
    if (apiGroup !== "" && apiGroup !== "core")
      resolution.problem(`${at}.apiGroup`, "must be empty for a ConfigMap");
  }
}

function include(
  resolution: Resolution,
  sources: readonly DataSource[],
  path: string,
): { readonly text: string } | { readonly problem: string } {
  const slash = path.lastIndexOf("/");
  const [source, key] = [path.slice(0, Math.max(slash, 0)), path.slice(slash + 1)];
  const named = sources.filter((each) => identifierOf(each) === source);
  if (named.length === 0) {
    const hint = suggestion(source, sources.map(identifierOf));
    return { problem: `include "${path}": there is no data source ${source}${hint}` };
  }
  const found = named.flatMap(({ name }) => fragment(resolution, name, key) ?? []);
  const [text] = found;
  const title = named.map(({ name }) => `ConfigMap ${resolution.namespace}/${name}`).join(", ");
  if (text === undefined) return { problem: `include "${path}": ${title} has no key ${key}` };
  return found.length === 1 ? { text } : { problem: `include "${path}": ${title} all have it` };
}

function identifierOf({ alias = "", name }: DataSource): string {
  return alias === "" ? name : alias;
}

function fragment({ references, namespace }: Resolution, name: string, key: string) {
  const own = references.value(namespace, { type: "ConfigMap", name, key });
  if (own !== undefined || name !== BUILTIN_PROMPTS_NAME) return own;
  return Object.hasOwn(BUILTIN_PROMPTS, key) ? BUILTIN_PROMPTS[key] : undefined;
}

/** Folders below /skills, by kagent's rules: the name, else the last part of the address. */
function skillNames(skills: Skills | undefined): readonly string[] {
  return [
    ...(skills?.refs ?? []).map((ref) => lastPart(ref.replace(/@.*$/, "")).replace(/:.*$/, "")),
    ...(skills?.gitRefs ?? []).map(({ name, url }) => name ?? lastPart(url).replace(/\.git$/, "")),
    ...(skills?.s3Refs ?? []).map(
      ({ name, uri }) => name ?? lastPart(uri).replace(/\.(zip|tar|tgz|tar\.gz)$/, ""),
    ),
  ].filter((name) => name !== "");
}

function lastPart(address: string): string {
  return (
    address
      .replace(/[?#].*$/, "")
      .replace(/\/+$/, "")
      .split("/")
      .at(-1) ?? ""
  );
}
