import { Hono } from "hono";
import * as z from "zod";
import type { Caller } from "../../a2a/task-service.ts";
import { accessPolicy, mayCall } from "../../api/access.ts";
import { RESOURCES } from "../../api/cluster.ts";
import { API_VERSION, type ObjectRef, REASONS, refKey } from "../../api/names.ts";
import { refOf as refOfObject } from "../../api/rules/object-set.ts";
import type { AgentEntry } from "../agent-directory.ts";
import { ignoredFeatures } from "../ignored-features.ts";
import { ApiError, bodyOf, missing, ok, refOf } from "./answers.ts";
import type { HttpApiDeps } from "./http-api-deps.ts";
import { admitted } from "./object-rules.ts";
import { clusterSignal, remove, replace, writable, writtenPart } from "./writing.ts";

const Body = z.looseObject({ metadata: z.looseObject({}), spec: z.looseObject({}) });

/** `/api/agents`: what there is, and the whole Agent to write (kagent-api section 3.5). */
export function agentRoutes(deps: HttpApiDeps): Hono {
  const { directory, caller } = deps;
  const app = new Hono();
  app.get("/api/agents", (c) => {
    const who = caller(c.req.raw);
    const shown = directory.agents().filter((entry) => isShown(entry, who));
    return ok(
      c,
      shown.map((entry) => agentView(entry, deps)),
    );
  });
  app.get("/api/agents/:namespace/:name", (c) => {
    const ref = refOf(c);
    const entry = directory.agent(ref);
    if (entry === undefined || !isShown(entry, caller(c.req.raw)))
      throw missing(`agent ${refKey(ref)}`);
    return ok(c, agentView(entry, deps));
  });
  app.post("/api/agents", async (c) => {
    const access = writable(deps, c);
    const { written, parsed } = admitted("Agent", await agentBody(c), directory, access);
    await access.cluster.create(RESOURCES.Agent, written, clusterSignal(c));
    return ok(c, parsed, 201);
  });
  app.put("/api/agents", async (c) => {
    const access = writable(deps, c);
    const { written, parsed } = admitted("Agent", await agentBody(c), directory, access);
    const ref = refOfObject(parsed);
    checkMayChange(deps, ref, caller(c.req.raw));
    const { labels, annotations } = written.metadata;
    const change = (current: Parameters<Parameters<typeof replace>[2]>[0]) => ({
      ...current,
      spec: written["spec"],
      metadata: {
        ...current.metadata,
        ...(labels === undefined ? {} : { labels }),
        ...(annotations === undefined ? {} : { annotations }),
      },
    });
    await replace(access, { type: RESOURCES.Agent, ref }, change, clusterSignal(c));
    return ok(c, parsed);
  });
  app.delete("/api/agents/:namespace/:name", async (c) => {
    const access = writable(deps, c);
    const ref = refOf(c);
    checkMayChange(deps, ref, caller(c.req.raw));
    await remove(access, RESOURCES.Agent, ref, clusterSignal(c));
    return ok(c, {});
  });
  return app;
}

async function agentBody(c: Parameters<typeof bodyOf>[0]): Promise<object> {
  return { apiVersion: API_VERSION, kind: "Agent", ...writtenPart(await bodyOf(c, Body)) };
}

/** Whoever may not call an agent may not change it either: the list of callers would be theirs to write. */
function checkMayChange({ directory }: HttpApiDeps, ref: ObjectRef, caller: Caller): void {
  const entry = directory.agent(ref);
  if (entry !== undefined && !isShown(entry, caller))
    throw new ApiError(403, `you may not change agent ${refKey(ref)}; its owner lists who may`);
}

function isShown({ object }: AgentEntry, caller: Caller): boolean {
  return mayCall(accessPolicy(object.metadata.annotations), caller);
}

/** An Agent as the API tells it. */
function agentView(entry: AgentEntry, deps: HttpApiDeps): object {
  const { ref, object, config, violations } = entry;
  const { declarative } = object.spec;
  return {
    id: refKey(ref).replace("/", "__NS__"),
    agent: object,
    modelProvider: config?.model.provider ?? "",
    model: config?.model.model ?? "",
    modelConfigRef: config === undefined ? "" : refKey(config.model.ref),
    memoryRefs: [],
    tools: declarative?.tools ?? [],
    accepted: isAccepted(entry),
    deploymentReady: isReady(entry, deps.access === undefined ? "in process" : "in a cluster"),
    violations,
    ignored: ignoredFeatures(object),
    workloadMode: "deployment",
  };
}

/** Whether an agent may be called: everything it refers to is there. */
export function isAccepted({ violations, unread }: AgentEntry): boolean {
  return violations.length === 0 && unread.length === 0;
}

/** Whether an agent answers: in a process with its worker as soon as it is accepted, else by its condition. */
export function isReady(entry: AgentEntry, where: "in process" | "in a cluster"): boolean {
  if (where === "in process") return entry.config !== undefined;
  return (
    entry.object.status?.conditions?.some(
      ({ type, status, reason }) =>
        type === "Ready" && status === "True" && reason === REASONS.deploymentReady,
    ) === true
  );
}
