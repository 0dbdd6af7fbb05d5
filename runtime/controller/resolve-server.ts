import * as z from "zod";
import type { TlsSettings, ToolServerSettings } from "../api/agent-config.ts";
import type { Checked } from "../api/checked.ts";
import type { KubeObject } from "../api/cluster-reader.ts";
import { toMs } from "../api/duration.ts";
import { ANNOTATIONS, LABELS, type ObjectRef } from "../api/names.ts";
import type { RemoteMcpServer } from "../api/objects.ts";
import { refOf } from "../api/rules/object-set.ts";
import type { AgentReferences } from "./resolve-references.ts";
import { Resolution } from "./resolve-values.ts";

/** Longest silence of an SSE stream of a server that names none; kagent's own default. */
const SSE_READ_TIMEOUT_MS = 300_000;
/** Longest wait for an answer of a Service, which cannot name one. */
const SERVICE_TIMEOUT_MS = 30_000;

/**
 * How a RemoteMCPServer is reached, headers and certificates of authorities resolved.
 *
 * @returns The settings, or every violation by its path in the RemoteMCPServer.
 */
export function resolveServer(
  server: RemoteMcpServer,
  references: AgentReferences,
): Checked<ToolServerSettings> {
  const ref = refOf(server);
  const resolution = new Resolution(references, ref.namespace);
  const headers = resolution.headers(server.spec.headersFrom, "spec");
  const { tls } = resolution.tls(server.spec.tls, "spec.tls");
  return resolution.checked(serverSettings(ref, server, headers, tls));
}

/** How a RemoteMCPServer is reached with these headers. */
export function serverSettings(
  ref: ObjectRef,
  { spec }: RemoteMcpServer,
  headers: Readonly<Record<string, string>>,
  tls?: TlsSettings,
): ToolServerSettings {
  return {
    ref,
    url: spec.url,
    protocol: spec.protocol,
    timeoutMs: toMs(spec.timeout),
    sseReadTimeoutMs:
      spec.sseReadTimeout === undefined ? SSE_READ_TIMEOUT_MS : toMs(spec.sseReadTimeout),
    terminateOnClose: spec.terminateOnClose,
    headers,
    ...(tls === undefined ? {} : { tls }),
  };
}

/** What is read of a Service; the API server has checked the rest. */
const ServiceSpec = z.object({
  ports: z
    .array(z.object({ port: z.int().min(1).max(65_535), appProtocol: z.string().optional() }))
    .default([]),
});

/**
 * How a Service that is an MCP server is reached (kagent-api section 2.5): by its annotations, else by its only port, else
 * by the port with appProtocol `mcp`.
 *
 * @returns The settings, or why it is no MCP server; paths are those of the Service.
 */
export function resolveService(service: KubeObject): Checked<ToolServerSettings> {
  const { name, namespace = "", labels, annotations = {} } = service.metadata;
  const refused = (path: string, message: string) =>
    ({ ok: false, violations: [{ path, message }] }) as const;
  if (labels?.[LABELS.mcpService] !== "true")
    return refused(
      "metadata.labels",
      `is no MCP server: it has no label ${LABELS.mcpService}=true`,
    );
  const port = portOf(service);
  if (port === undefined)
    return refused(
      "metadata.annotations",
      `the port is not known: set ${ANNOTATIONS.mcpServicePort} to a number, or appProtocol mcp on a port`,
    );
  const path = annotations[ANNOTATIONS.mcpServicePath] ?? "/mcp";
  const protocol =
    annotations[ANNOTATIONS.mcpServiceProtocol] === "SSE" ? "SSE" : "STREAMABLE_HTTP";
  return {
    ok: true,
    value: {
      ref: { namespace, name },
      url: `http://${name}.${namespace}:${port}${path.startsWith("/") ? "" : "/"}${path}`,
      protocol,
      timeoutMs: SERVICE_TIMEOUT_MS,
      sseReadTimeoutMs: SSE_READ_TIMEOUT_MS,
      terminateOnClose: true,
      headers: {},
    },
  };
}

function portOf(service: KubeObject): number | undefined {
  const written = service.metadata.annotations?.[ANNOTATIONS.mcpServicePort];
  if (written !== undefined) return /^[1-9]\d{0,4}$/.test(written) ? Number(written) : undefined;
  const { data } = ServiceSpec.safeParse(service["spec"]);
  const ports = data?.ports ?? [];
  const named = ports.find(({ appProtocol }) => appProtocol?.toLowerCase() === "mcp");
  return (ports.length === 1 ? ports[0] : named)?.port;
}
