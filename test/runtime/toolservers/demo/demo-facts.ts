import { PODS } from "../../../../runtime/toolservers/demo/demo-pods.ts";
import type { ClusterFacts } from "../kubernetes/cluster-reader-contract.ts";

/** The first pod of `workload`. */
export function podOf(workload: string): string {
  const found = PODS.find((pod) => pod.workload.name === workload);
  if (found === undefined) throw new Error(`no workload ${workload}`);
  return found.name;
}

/** Pods of `workload`. */
function podsOf(workload: string): readonly string[] {
  return PODS.filter((pod) => pod.workload.name === workload).map(({ name }) => name);
}

const cart = PODS.find((pod) => pod.workload.name === "cart");

/** What the demo cluster holds. */
export const DEMO_FACTS: ClusterFacts = {
  namespace: "shop",
  label: "app.kubernetes.io/name=checkout",
  labelled: podsOf("checkout"),
  pod: podOf("cart"),
  node: cart?.node ?? "",
  custom: {
    shortName: "ks",
    kind: "Kustomization",
    namespace: "flux-system",
    name: "payments-apps",
  },
  pods: PODS.length,
};
