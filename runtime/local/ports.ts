/** Ports of a local run; the order is that of `--port-base` (decisions 28). */
export const LOCAL_PORTS = {
  page: 8080,
  api: 8083,
  mcp: 8084,
  hook: 8085,
  toolGateway: 9090,
  agentGateway: 9091,
  guardrail: 9292,
} as const;

/** A listener of a local run. */
export type PortName = keyof typeof LOCAL_PORTS;
/** Port by listener. */
export type Ports = Readonly<Record<PortName, number>>;

const ORDER = Object.keys(LOCAL_PORTS) as readonly PortName[];
/** Largest base that leaves room for every listener. */
export const MAX_PORT_BASE = 65_535 - ORDER.length;

/** The default ports, or consecutive ones from `base` on. */
export function localPorts(base?: number): Ports {
  if (base === undefined) return LOCAL_PORTS;
  return Object.fromEntries(ORDER.map((name, index) => [name, base + index])) as Record<
    PortName,
    number
  >;
}
