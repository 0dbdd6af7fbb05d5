import type { ModelSettings, TlsSettings } from "../agent-config.ts";
import type { UnhashedConfig } from "../config-hash.ts";

/** What stands in the place of a secret value; an id follows. */
export const CREDENTIAL_PREFIX = "credential:";

type Headers = Readonly<Record<string, string>>;
/** Makes another text of a secret one; the id says where it stands and is the same for every value. */
type Replace = (id: string, text: string) => string;

/** A copy of `config` with every secret value replaced: headers, keys, certificates of authorities. */
export function withSecrets(config: UnhashedConfig, replace: Replace): UnhashedConfig {
  const { model, toolServers, agents, handoffs, compaction, memory } = config;
  return {
    ...config,
    model: ofModel(model, "model", replace),
    toolServers: toolServers.map((use, index) => {
      const { server } = use;
      const id = `toolServers[${index}]`;
      const headers = ofHeaders(server.headers, id, replace);
      return { ...use, server: { ...server, headers, ...ofTls(server.tls, id, replace) } };
    }),
    agents: agents.map((use, index) => ({
      ...use,
      headers: ofHeaders(use.headers, `agents[${index}]`, replace),
    })),
    handoffs: handoffs.map((rule, index) => ({
      ...rule,
      use: { ...rule.use, headers: ofHeaders(rule.use.headers, `handoffs[${index}]`, replace) },
    })),
    ...(compaction?.summarizer === undefined
      ? {}
      : {
          compaction: {
            ...compaction,
            summarizer: {
              ...compaction.summarizer,
              model: ofModel(compaction.summarizer.model, "summarizer", replace),
            },
          },
        }),
    ...(memory === undefined
      ? {}
      : { memory: { ...memory, embedding: ofModel(memory.embedding, "embedding", replace) } }),
  };
}

function ofModel(model: ModelSettings, id: string, replace: Replace): ModelSettings {
  const { headers, apiKey, tls } = model;
  return {
    ...model,
    ...(headers === undefined ? {} : { headers: ofHeaders(headers, id, replace) }),
    ...(apiKey === undefined ? {} : { apiKey: replace(`${id}.apiKey`, apiKey) }),
    ...ofTls(tls, id, replace),
  };
}

function ofHeaders(headers: Headers, id: string, replace: Replace): Headers {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, replace(`${id}.headers.${name}`, value)]),
  );
}

function ofTls(tls: TlsSettings | undefined, id: string, replace: Replace) {
  if (tls === undefined) return {};
  const { caPem } = tls;
  return {
    tls: { ...tls, ...(caPem === undefined ? {} : { caPem: replace(`${id}.caPem`, caPem) }) },
  };
}
