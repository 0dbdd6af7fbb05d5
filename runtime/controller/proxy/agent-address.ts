import { type ObjectRef, refKey } from "../../api/names.ts";
import type { RunOwner } from "../../store/session-store.ts";

/** JSON-RPC endpoint of an agent at its Service: whichever of its processes answers. */
export type AgentAddress = (ref: ObjectRef) => URL;

/** Port of agents and pools (kagent-api section 2.1). */
const PORT = 8080;

/**
 * Agents of a cluster: at a Service of their own, or below a path of their pool (decisions 20).
 *
 * @param pool - Name of the Service of the pool that runs an agent; `undefined` for an agent with its own.
 */
export function serviceAddress(pool: (ref: ObjectRef) => string | undefined): AgentAddress {
  return (ref) => {
    const service = pool(ref);
    return service === undefined
      ? new URL(`http://${ref.name}.${ref.namespace}:${PORT}/`)
      : new URL(`http://${service}.${ref.namespace}:${PORT}/agents/${refKey(ref)}/`);
  };
}

/** The same endpoint at one process. */
export function ownerAddress(service: URL, owner: RunOwner): URL {
  return new URL(service.pathname, owner.url);
}

/** Where a controller serves an agent; those that bring their own worker run there (decisions 18). */
export function controllerPath(ref: ObjectRef): string {
  return `/api/a2a/${refKey(ref)}/`;
}
