import * as z from "zod";
import { AllowedNamespaces } from "./allowed-namespaces.ts";
import { withRules } from "./cel.ts";
import { Duration } from "./duration.ts";
import { text } from "./text.ts";
import { Tls } from "./tls.ts";
import { HeaderSource } from "./value-source.ts";

/** Desired state of a RemoteMCPServer: an MCP server at a URL. */
export const RemoteMcpServerSpec = withRules(
  z.strictObject({
    description: z.string(),
    url: text(1).describe("MCP endpoint."),
    protocol: z.enum(["SSE", "STREAMABLE_HTTP"]).default("STREAMABLE_HTTP"),
    timeout: Duration.default("30s").describe("Longest wait for the answer to one request."),
    sseReadTimeout: Duration.describe("Longest silence of a stream.").optional(),
    terminateOnClose: z
      .boolean()
      .default(true)
      .describe("End the session at the server when the client closes."),
    headersFrom: z.array(HeaderSource).describe("Headers of every request.").optional(),
    allowedNamespaces: AllowedNamespaces.optional(),
    tls: Tls.optional(),
  }),
  [
    {
      rule: "!self.url.startsWith('http://') || !has(self.tls)",
      message: "tls needs a url that does not begin with http://",
    },
    {
      rule: "!(has(self.allowedNamespaces) && has(self.allowedNamespaces.from) && (self.allowedNamespaces.from == 'All' || self.allowedNamespaces.from == 'Selector') && has(self.tls) && has(self.tls.caCertSecretRef) && size(self.tls.caCertSecretRef) > 0)",
      message:
        "tls.caCertSecretRef works in one namespace only: allowedNamespaces.from must be Same",
    },
  ],
);
/** Desired state of a RemoteMCPServer, defaults filled in. */
export type RemoteMcpServerSpec = z.output<typeof RemoteMcpServerSpec>;
