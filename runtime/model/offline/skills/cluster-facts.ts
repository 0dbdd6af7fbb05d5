import { simpleSkill } from "../simple-skill.ts";

/** Kinds that a cluster serves. */
export const apiResources = simpleSkill({
  name: "API resources",
  tools: ["k8s_get_available_api_resources"],
  words:
    /\b(api resources?|resource (?:types|kinds)|kinds of resources?|crds?|custom resource definitions?|api groups?|api versions?)\b/iu,
  weight: 7,
  noun: "resource type",
  arguments: () => ({}),
});

/** What a cluster says about itself. */
export const clusterConfiguration = simpleSkill({
  name: "cluster configuration",
  tools: ["k8s_get_cluster_configuration"],
  words:
    /\b(cluster (?:configuration|config|version|info(?:rmation)?)|kubernetes version|version of (?:the )?(?:cluster|kubernetes)|kubeconfig|which cluster|what cluster|current context)\b/iu,
  weight: 7,
  noun: "entry",
  arguments: () => ({}),
});
