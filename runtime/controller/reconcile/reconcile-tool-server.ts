import { sentence } from "../../api/checked.ts";
import type { ConditionUpdate } from "../../api/conditions.ts";
import { CONDITION_MESSAGES, type ObjectRef, REASONS } from "../../api/names.ts";
import type { ToolDescription } from "../../api/tool.ts";
import { resolveServer } from "../resolve-server.ts";
import { secretHash } from "../secret-hash.ts";
import { accepted as failed } from "./agent-conditions.ts";
import { keyOf } from "./keys.ts";
import { withReferences } from "./read-references.ts";
import { type Outcome, type ReconcileDeps, report } from "./reconcile-deps.ts";

/** 400,000 characters of tools in a status: etcd takes 1.5 MiB of an object, in UTF-8. */
const MAX_STATUS = 400_000;
/** Characters of one description, and what is left of it where there are too many for the status. */
const MAX_DESCRIPTION = 4_096;
const SHORT_DESCRIPTION = 128;

/**
 * Brings a RemoteMCPServer's condition, Secret hash and list of tools to what is the case (kagent-api section 1.3).
 *
 * Asking is not done here but beside, so that no server waits for another; the answer brings the server back. While a
 * server does not answer the list it gave before stays.
 */
export async function reconcileToolServer(
  ref: ObjectRef,
  deps: ReconcileDeps,
  signal: AbortSignal,
): Promise<Outcome> {
  const stored = deps.cache.get("RemoteMCPServer", ref);
  const user = keyOf("RemoteMCPServer", ref);
  if (stored === undefined) {
    deps.references.delete(user);
    deps.discovery.forget(ref);
    deps.status.forget("RemoteMCPServer", ref.namespace, ref.name);
    return undefined;
  }
  const object = deps.directory.server(ref);
  if (object === undefined) {
    deps.discovery.forget(ref);
    const problem = sentence(deps.directory.rejected("RemoteMCPServer", ref) ?? []);
    await report(deps, "RemoteMCPServer", stored, { conditions: [failed(problem)] }, signal);
    return undefined;
  }
  const { result, secrets } = await withReferences(
    user,
    (references) => resolveServer(object, references),
    deps,
    signal,
  );
  const fields = { secretHash: secretHash(secrets) };
  if (!result.ok) {
    deps.discovery.forget(ref);
    const conditions = [failed(sentence(result.violations))];
    await report(deps, "RemoteMCPServer", stored, { conditions, fields }, signal);
    return undefined;
  }
  const discovery = deps.discovery.watch(ref, result.value);
  if (discovery === undefined) return undefined; // nothing new can be said before the answer
  const conditions = [accepted(discovery.ok ? undefined : discovery.message)];
  const found = discovery.ok ? { discoveredTools: written(discovery.tools) } : {};
  await report(
    deps,
    "RemoteMCPServer",
    stored,
    { conditions, fields: { ...fields, ...found } },
    signal,
  );
  return undefined;
}

function accepted(problem: string | undefined): ConditionUpdate {
  if (problem !== undefined) return failed(problem);
  const message = CONDITION_MESSAGES.remoteMcpServerAccepted;
  return { type: "Accepted", status: "True", reason: REASONS.reconciled, message };
}

/** Tools as a status has them; every name, and as much of the descriptions as fits. */
function written(tools: readonly ToolDescription[]): readonly object[] {
  const whole = clipped(tools, MAX_DESCRIPTION);
  const length = whole.reduce((sum, tool) => sum + tool.name.length + tool.description.length, 0);
  return length <= MAX_STATUS ? whole : clipped(tools, SHORT_DESCRIPTION);
}

function clipped(tools: readonly ToolDescription[], limit: number) {
  return tools.map(({ name, description }) => ({
    name,
    description:
      description.length <= limit ? description : `${description.slice(0, limit - 4)} ...`,
  }));
}
