import { type ObjectCase, refuses, takes } from "./object-case.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A RemoteMCPServer with this spec. */
export function remoteMcpServer(spec: Fields): Fields {
  return {
    apiVersion: "kagent.dev/v1alpha2",
    kind: "RemoteMCPServer",
    metadata: { name: "sample" },
    spec: { description: "d", url: "https://a/mcp", ...spec },
  };
}

const AUTHORITY = { caCertSecretRef: "s", caCertSecretKey: "k" };
const SELECTOR = { from: "Selector", selector: { matchLabels: { a: "b" } } };

/** Each bound and each rule of a RemoteMCPServer, from both sides. */
export const REMOTE_MCP_SERVER_CASES: readonly ObjectCase[] = [
  takes("a server by its URL", remoteMcpServer({})),
  takes(
    "every field",
    remoteMcpServer({
      protocol: "SSE",
      timeout: "1m30s",
      sseReadTimeout: "1.5h",
      terminateOnClose: false,
      tls: AUTHORITY,
      headersFrom: [{ name: "a", value: "b" }],
      allowedNamespaces: { from: "Same" },
    }),
  ),
  takes("an empty description", remoteMcpServer({ description: "" })),
  refuses(
    "a server without description",
    remoteMcpServer({ description: undefined }),
    "spec.description",
    /^is required$/,
  ),
  refuses("a server without URL", remoteMcpServer({ url: undefined }), "spec.url", /^is required$/),
  refuses("an empty URL", remoteMcpServer({ url: "" }), "spec.url", /^must not be empty$/),
  refuses(
    "another protocol",
    remoteMcpServer({ protocol: "STDIO" }),
    "spec.protocol",
    /^must be "SSE" or "STREAMABLE_HTTP"$/,
  ),
  refuses(
    "a number of seconds",
    remoteMcpServer({ timeout: 30 }),
    "spec.timeout",
    /^must be a string, is an integer \(put it in quotes\)$/,
  ),
  refuses(
    "a time that is none",
    remoteMcpServer({ sseReadTimeout: "soon" }),
    "spec.sseReadTimeout",
    /^must be a duration such as/,
  ),
  refuses(
    "TLS without TLS",
    remoteMcpServer({ url: "http://a/mcp", tls: {} }),
    "spec",
    /^tls needs a url that does not begin with http:\/\/$/,
  ),
  takes(
    "an authority for one namespace",
    remoteMcpServer({ tls: AUTHORITY, allowedNamespaces: {} }),
  ),
  takes(
    "all namespaces without an authority",
    remoteMcpServer({ tls: {}, allowedNamespaces: { from: "All" } }),
  ),
  ...[{ from: "All" }, SELECTOR].map((allowedNamespaces) =>
    refuses(
      `an authority for ${allowedNamespaces.from}`,
      remoteMcpServer({ tls: AUTHORITY, allowedNamespaces }),
      "spec",
      /^tls.caCertSecretRef works in one namespace only/,
    ),
  ),
  refuses(
    "a broken reference to an authority",
    remoteMcpServer({ tls: { caCertSecretRef: "s" } }),
    "spec.tls",
    /^caCertSecretRef needs caCertSecretKey$/,
  ),
  refuses(
    "a selector that is not there",
    remoteMcpServer({ allowedNamespaces: { from: "Selector" } }),
    "spec.allowedNamespaces",
    /^selector is required/,
  ),
  refuses(
    "a header of two values",
    remoteMcpServer({
      headersFrom: [{ name: "a", value: "b", valueFrom: { type: "Secret", name: "c", key: "d" } }],
    }),
    "spec.headersFrom[0]",
    /^exactly one of value, valueFrom must be set$/,
  ),
  refuses(
    "a header without value",
    remoteMcpServer({ headersFrom: [{ name: "a" }] }),
    "spec.headersFrom[0]",
    /^exactly one of value, valueFrom must be set$/,
  ),
  refuses(
    "an unknown field",
    remoteMcpServer({ tiemout: "30s" }),
    "spec.tiemout",
    /^unknown field "tiemout"; did you mean "timeout"\?$/,
  ),
];
