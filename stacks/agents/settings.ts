/** What the definitions are made for; a stack, a local run and tests pass their own (decisions 12). */
export interface DefinitionSettings {
  /** Clusters the agents look after, the home cluster first; names of at most 14 characters. */
  readonly clusters: readonly { readonly name: string }[];
  /** Namespace of every object. */
  readonly namespace: string;
  /** Base URL of the MCP gateway, without a slash at its end. */
  readonly gatewayUrl: string;
  /** Base URL of Ollama; the server's own default when absent. */
  readonly ollamaHost?: string;
}

/** Address of the MCP gateway that agentgateway serves in a cluster. */
const GATEWAY_URL = "http://agentgateway-proxy.agentgateway-system.svc.cluster.local:9090";
/** Address of Ollama in a cluster. */
const OLLAMA_HOST = "http://ollama.ollama.svc.cluster.local:11434";

/** What every stack starts from. */
export const defaultSettings: DefinitionSettings = {
  clusters: [{ name: "services-amer" }],
  namespace: "kagent",
  gatewayUrl: GATEWAY_URL,
  ollamaHost: OLLAMA_HOST,
};
