import type { ApiResource } from "../../api/cluster-reader.ts";

const VERBS = ["create", "delete", "get", "list", "patch", "update", "watch"];

/** `group/version`, then `plural kind short` or with `*` behind the kind for cluster-wide kinds; `+` for `all`. */
const SERVED: Readonly<Record<string, readonly string[]>> = {
  v1: [
    "configmaps ConfigMap cm",
    "endpoints Endpoints ep",
    "events Event ev",
    "namespaces Namespace* ns",
    "nodes Node* no",
    "persistentvolumeclaims PersistentVolumeClaim pvc",
    "persistentvolumes PersistentVolume* pv",
    "pods Pod+ po",
    "secrets Secret",
    "serviceaccounts ServiceAccount sa",
    "services Service+ svc",
  ],
  "apps/v1": [
    "daemonsets DaemonSet+ ds",
    "deployments Deployment+ deploy",
    "replicasets ReplicaSet+ rs",
    "statefulsets StatefulSet+ sts",
  ],
  "autoscaling/v2": ["horizontalpodautoscalers HorizontalPodAutoscaler+ hpa"],
  "batch/v1": ["cronjobs CronJob+ cj", "jobs Job+"],
  "networking.k8s.io/v1": ["ingresses Ingress ing", "networkpolicies NetworkPolicy netpol"],
  "policy/v1": ["poddisruptionbudgets PodDisruptionBudget pdb"],
  "storage.k8s.io/v1": ["storageclasses StorageClass* sc"],
  "apiextensions.k8s.io/v1": ["customresourcedefinitions CustomResourceDefinition* crd"],
  "helm.toolkit.fluxcd.io/v2": ["helmreleases HelmRelease hr"],
  "kustomize.toolkit.fluxcd.io/v1": ["kustomizations Kustomization ks"],
  "source.toolkit.fluxcd.io/v1": [
    "gitrepositories GitRepository gitrepo",
    "helmrepositories HelmRepository helmrepo",
  ],
};

/** Kinds that the demo cluster serves. */
export const API_RESOURCES: readonly ApiResource[] = Object.entries(SERVED).flatMap(
  ([key, lines]) => {
    const slash = key.indexOf("/");
    const [group, version] = slash < 0 ? ["", key] : [key.slice(0, slash), key.slice(slash + 1)];
    return lines.map((line) => resource(group, version, line));
  },
);

function resource(group: string, version: string, line: string): ApiResource {
  const [plural = "", marked = "", ...shortNames] = line.split(" ");
  const kind = marked.replace(/[*+]$/, "");
  return {
    group,
    version,
    kind,
    plural,
    singular: kind.toLowerCase(),
    shortNames,
    categories: marked.endsWith("+") ? ["all"] : [],
    namespaced: !marked.endsWith("*"),
    verbs: VERBS,
  };
}
