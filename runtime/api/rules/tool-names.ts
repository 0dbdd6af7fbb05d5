import { suggestion } from "../issue-message.ts";
import { type Agent, objectKey } from "../objects.ts";
import {
  MAX_TOOL_NAME,
  type PlatformServer,
  SERVERS,
  splitTool,
  TOOL_CATALOGUE,
} from "../tool-catalogue.ts";
import { serverTools } from "./agent-tools.ts";
import { type Finding, reporter } from "./finding.ts";
import type { ObjectSet } from "./object-set.ts";

type Report = ReturnType<typeof reporter>;

const SERVER_OF: ReadonlyMap<string, PlatformServer> = new Map(
  (Object.keys(SERVERS) as PlatformServer[]).map((server) => [
    SERVERS[server].remoteMcpServer,
    server,
  ]),
);

/**
 * Tool names that no model or gateway takes: longer than 64 characters, offered twice, or, at the
 * platform's own servers, without the prefix of a target, of an unknown cluster or of an unknown tool.
 *
 * Servers of others may name their tools as they like.
 *
 * @param clusters - Clusters that exist; any when absent.
 */
export function toolNames(
  agent: Agent,
  set: ObjectSet,
  clusters?: readonly string[],
): readonly Finding[] {
  const report = reporter("tool-names", objectKey(agent, set.namespace));
  const first = new Map<string, string>();
  return serverTools(agent).flatMap(({ server, toolNames: names, path }) =>
    names.flatMap((name, index) => {
      const at = `${path}.toolNames[${index}]`;
      const before = first.get(name);
      if (before !== undefined) return [report.error(at, `${name} is at ${before} already`)];
      first.set(name, at);
      if (name.length > MAX_TOOL_NAME)
        return [report.error(at, `has ${name.length} characters, at most ${MAX_TOOL_NAME}`)];
      const owner = SERVER_OF.get(server);
      return owner === undefined ? [] : ownTool(report, at, name, owner, clusters);
    }),
  );
}

function ownTool(
  report: Report,
  path: string,
  name: string,
  owner: PlatformServer,
  clusters: readonly string[] | undefined,
): readonly Finding[] {
  const { target, perCluster, remoteMcpServer } = SERVERS[owner];
  const split = splitTool(name);
  if (split?.server !== owner) {
    const form = perCluster ? `${target}-<cluster>_` : `${target}_`;
    return [report.error(path, `tools of ${remoteMcpServer} begin with ${form}, this is ${name}`)];
  }
  if (split.cluster !== undefined && clusters?.includes(split.cluster) === false) {
    const hint = suggestion(split.cluster, clusters);
    return [report.error(path, `there is no cluster ${split.cluster}${hint}`)];
  }
  const known = TOOL_CATALOGUE.filter(({ server }) => server === owner).map((tool) => tool.name);
  if (known.includes(split.tool)) return [];
  const hint = suggestion(split.tool, known);
  return [report.warning(path, `the catalogue knows no tool ${split.tool} of ${owner}${hint}`)];
}
