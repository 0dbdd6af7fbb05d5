import { hits } from "./words.ts";

/** A kind of object that questions name. */
export interface ResourceKind {
  /** As the tools take it. */
  readonly type: string;
  /** As people read it. */
  readonly kind: string;
  /** Whether its objects live in namespaces. */
  readonly namespaced: boolean;
}

const kind = (type: string, name: string, words: string, namespaced = true) =>
  [new RegExp(`\\b(?:${words})\\b`, "iu"), { type, kind: name, namespaced }] as const;

const KINDS: readonly (readonly [RegExp, ResourceKind])[] = [
  kind("deployments", "Deployment", "deployments?|deploys?"),
  kind("statefulsets", "StatefulSet", "stateful ?sets?|sts"),
  kind("daemonsets", "DaemonSet", "daemon ?sets?|ds"),
  kind("replicasets", "ReplicaSet", "replica ?sets?|rs"),
  kind("cronjobs", "CronJob", "cron ?jobs?"),
  kind("jobs", "Job", "jobs?"),
  kind(
    "persistentvolumeclaims",
    "PersistentVolumeClaim",
    "persistent ?volume ?claims?|pvcs?|volume claims?",
  ),
  kind("persistentvolumes", "PersistentVolume", "persistent ?volumes?|pvs?", false),
  kind("services", "Service", "services?|svc"),
  kind("ingresses", "Ingress", "ingress(?:es)?"),
  kind("configmaps", "ConfigMap", "config ?maps?|cm"),
  kind("secrets", "Secret", "secrets"),
  kind("networkpolicies", "NetworkPolicy", "network ?polic(?:y|ies)|netpols?"),
  kind(
    "horizontalpodautoscalers",
    "HorizontalPodAutoscaler",
    "horizontal ?pod ?autoscalers?|hpas?",
  ),
  kind("serviceaccounts", "ServiceAccount", "service ?accounts?"),
  kind("nodes", "Node", "nodes?", false),
  kind("namespaces", "Namespace", "namespaces", false),
  kind(
    "customresourcedefinitions",
    "CustomResourceDefinition",
    "crds?|custom ?resource ?definitions?",
    false,
  ),
  kind("kustomizations.kustomize.toolkit.fluxcd.io", "Kustomization", "kustomizations?"),
  kind(
    "helmreleases.helm.toolkit.fluxcd.io",
    "HelmRelease",
    "helm ?releases?(?= ?cr| ?custom)|helmreleases?",
  ),
  kind(
    "gitrepositories.source.toolkit.fluxcd.io",
    "GitRepository",
    "git ?repositor(?:y|ies)(?= ?source| ?cr)|gitrepositor(?:y|ies)",
  ),
  kind("agents.kagent.dev", "Agent", "kagent agents?|agents?"),
  kind("pods", "Pod", "pods?|po"),
];

/** Kinds that `text` names, `pods` last. */
export function kindsIn(text: string): readonly ResourceKind[] {
  const named = KINDS.filter(([pattern]) => pattern.test(text)).map(([, each]) => each);
  // "service account" and "persistent volume claim" name one kind, not the shorter one inside as well
  const inside = new Map([
    ["serviceaccounts", "services"],
    ["persistentvolumeclaims", "persistentvolumes"],
    ["cronjobs", "jobs"],
  ]);
  return named.filter(({ type }) => {
    const longer = [...inside].find(([, short]) => short === type)?.[0];
    if (longer === undefined || !named.some((each) => each.type === longer)) return true;
    const own = KINDS.find(([, each]) => each.type === type)?.[0] ?? /$^/u;
    const outer = KINDS.find(([, each]) => each.type === longer)?.[0] ?? /$^/u;
    return hits(text.replace(new RegExp(outer.source, "giu"), " "), own).length > 0;
  });
}

/** The kind `Pod`. */
export const POD: ResourceKind = { type: "pods", kind: "Pod", namespaced: true };

/** A kind as people read it from its name in lower case, as events have it. */
export function kindNamed(lower: string): string {
  const known = KINDS.find(([, { kind: each }]) => each.toLowerCase() === lower)?.[1].kind;
  return known ?? `${lower.slice(0, 1).toUpperCase()}${lower.slice(1)}`;
}
