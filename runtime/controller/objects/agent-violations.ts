import type { Violation } from "../../api/checked.ts";
import { LABELS } from "../../api/names.ts";
import type { Agent } from "../../api/objects.ts";
import { PLATFORM_VOLUMES, type SharedDeployment } from "./pod-template.ts";

/** A label of DNS that begins with a letter: what a Service may be called. */
const SERVICE_NAME = /^[a-z]([-a-z0-9]{0,61}[a-z0-9])?$/;
/** Container of the agent itself. */
const AGENT_CONTAINER = "kagent";

/** What keeps an Agent from getting its objects, whatever it refers to (kagent-api section 1.1). */
export function objectViolations({ metadata, spec }: Agent): readonly Violation[] {
  const path = spec.type === "BYO" ? "spec.byo.deployment" : "spec.declarative.deployment";
  const byo = spec.byo?.deployment;
  const deployment: SharedDeployment =
    (spec.type === "BYO" ? byo : spec.declarative?.deployment) ?? {};
  return [
    ...nameViolations(metadata.name),
    ...(spec.type === "BYO" && byo?.image === undefined
      ? [{ path: `${path}.image`, message: "is required for type BYO" }]
      : []),
    ...containerViolations(deployment, `${path}.extraContainers`),
    ...volumeViolations(deployment, `${path}.volumes`),
    ...labelViolations(deployment, `${path}.labels`),
  ];
}

function nameViolations(name: string): readonly Violation[] {
  if (SERVICE_NAME.test(name)) return [];
  const message =
    "must be at most 63 lower-case letters, digits and -, and begin with a letter: the Agent's Service has this name";
  return [{ path: "metadata.name", message }];
}

function containerViolations(
  { extraContainers = [] }: SharedDeployment,
  path: string,
): readonly Violation[] {
  const seen = new Set<string>();
  return extraContainers.flatMap(({ name }, index) => {
    const at = `${path}[${index}].name`;
    if (name === AGENT_CONTAINER)
      return [{ path: at, message: `"${AGENT_CONTAINER}" is the container of the Agent itself` }];
    const before = seen.has(name);
    seen.add(name);
    return before ? [{ path: at, message: "has the name of a container before it" }] : [];
  });
}

function volumeViolations({ volumes = [] }: SharedDeployment, path: string): readonly Violation[] {
  const taken: readonly string[] = Object.values(PLATFORM_VOLUMES);
  return volumes.flatMap(({ name }, index) =>
    taken.includes(name)
      ? [{ path: `${path}[${index}].name`, message: `"${name}" is a volume of the platform` }]
      : [],
  );
}

function labelViolations({ labels = {} }: SharedDeployment, path: string): readonly Violation[] {
  return [LABELS.app, LABELS.kagent].flatMap((label) =>
    Object.hasOwn(labels, label)
      ? [{ path: `${path}.${label}`, message: "is the label by which the platform finds the pods" }]
      : [],
  );
}
