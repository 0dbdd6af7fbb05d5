import assert from "node:assert/strict";
import { cardJson } from "../../../../runtime/a2a/card.ts";
import type { AgentConfig } from "../../../../runtime/api/agent-config.ts";
import type { KubeObject } from "../../../../runtime/api/cluster-reader.ts";
import { hashed } from "../../../../runtime/api/config-hash.ts";
import { type Agent, parseObject } from "../../../../runtime/api/objects.ts";
import type { WorkloadSettings } from "../../../../runtime/controller/objects/workload-settings.ts";
import { agentConfig } from "../../../support/agent-config.ts";

type Fields = Readonly<Record<string, unknown>>;

/** Settings of a controller that delivers the worker by a bundle. */
export const SETTINGS: WorkloadSettings = {
  delivery: {
    kind: "bundle",
    nodeImage: "node:24-slim",
    configMapName: "kagent-worker-0a1b2c3d4e",
  },
  controllerUrl: "http://kagent-controller.kagent:8083",
};

export const JWKS = { keys: [{ kty: "EC", kid: "1" }] };

/** An Agent as a cluster has it. */
export function storedAgent(spec: Fields, metadata: Fields = {}): Agent {
  const parsed = parseObject({
    apiVersion: "kagent.dev/v1alpha2",
    kind: "Agent",
    metadata: { name: "my-agent", namespace: "team", uid: "u-1", ...metadata },
    spec,
  });
  assert.ok(parsed.ok, JSON.stringify(parsed));
  assert.equal(parsed.value.kind, "Agent");
  return parsed.value;
}

/** A Declarative Agent with this deployment. */
export function declarative(deployment?: Fields, more: Fields = {}, metadata: Fields = {}): Agent {
  const declared = {
    systemMessage: "You test.",
    ...(deployment === undefined ? {} : { deployment }),
    ...more,
  };
  return storedAgent({ declarative: declared }, metadata);
}

/** A configuration of {@link storedAgent}. */
export function configOf(agent: Agent, over: Partial<AgentConfig> = {}): AgentConfig {
  const { hash: _, ...rest } = agentConfig({
    ref: { namespace: agent.metadata.namespace ?? "", name: agent.metadata.name },
    ...over,
  });
  return hashed(rest);
}

/** The card of a configuration, at the address of its Service. */
export function cardOf(config: AgentConfig): object {
  const { namespace, name } = config.ref;
  return cardJson(config, `http://${name}.${namespace}:8080`, "0.3");
}

/** The object of a kind. */
export function ofKind(objects: readonly KubeObject[], kind: string): KubeObject {
  const found = objects.find((object) => object.kind === kind);
  assert.ok(found, `there is no ${kind}`);
  return found;
}

/** What stands at a path such as `spec.template.spec.containers.0`. */
export function at(object: unknown, path: string): unknown {
  return path
    .split(".")
    .reduce<unknown>((value, key) => (value as Fields | undefined)?.[key], object);
}

/** Texts of a Secret. */
export function textsOf(secret: KubeObject): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(secret["data"] as Readonly<Record<string, string>>).map(([key, value]) => [
      key,
      Buffer.from(value, "base64").toString("utf8"),
    ]),
  );
}
