type Fields = Readonly<Record<string, unknown>>;

/** `nonroot` of the distroless images; any number but 0 would do. */
const NON_ROOT = 65_532;

/**
 * `securityContext` of a pod: the restricted Pod Security Standard, with the user's own fields on top.
 *
 * @param own - `podSecurityContext` of the Agent.
 * @param container - `securityContext` of the Agent: a container that runs as root by wish lifts the pod's refusal.
 * @see https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
 */
export function podSecurityContext(own: Fields = {}, container: Fields = {}): Fields {
  const isRoot = (container["runAsUser"] ?? own["runAsUser"]) === 0;
  return merged(
    {
      ...(isRoot ? {} : { runAsNonRoot: true }),
      runAsUser: NON_ROOT,
      runAsGroup: NON_ROOT,
      seccompProfile: { type: "RuntimeDefault" },
    },
    own,
  );
}

/** `securityContext` of the agent's own container: restricted, and nothing is written to the image. */
export function containerSecurityContext(own: Fields = {}): Fields {
  return merged({ ...escalation(own), readOnlyRootFilesystem: true }, own);
}

/** `securityContext` of a container that the user adds: what the restricted standard asks for, and no more. */
export function sidecarSecurityContext(own: Fields = {}): Fields {
  return merged(escalation(own), own);
}

/** The API server refuses to take escalation from a privileged container. */
function escalation(own: Fields): Fields {
  const capabilities = { capabilities: { drop: ["ALL"] } };
  if (own["privileged"] === true || addsAdmin(own["capabilities"])) return capabilities;
  return { allowPrivilegeEscalation: false, ...capabilities };
}

function addsAdmin(capabilities: unknown): boolean {
  const added = isFields(capabilities) ? capabilities["add"] : undefined;
  return (
    Array.isArray(added) && added.some((each) => each === "SYS_ADMIN" || each === "CAP_SYS_ADMIN")
  );
}

/** Field by field, at every depth; lists are taken as a whole. A field set to null takes a default away. */
function merged(defaults: Fields, own: Fields): Fields {
  const fields = new Map(Object.entries(defaults));
  for (const [name, value] of Object.entries(own)) {
    const below = fields.get(name);
    if (value === null) fields.delete(name);
    else fields.set(name, isFields(below) && isFields(value) ? merged(below, value) : value);
  }
  return Object.fromEntries(fields);
}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
