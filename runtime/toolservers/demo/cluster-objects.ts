import type { KubeObject } from "../../api/cluster-reader.ts";
import { PODS, suffix, uid } from "./demo-pods.ts";
import { NODES } from "./nodes.ts";
import { selectorLabels, timestamp, workloadLabels } from "./pod-objects.ts";
import { DAY, type Workload } from "./workload.ts";
import { WORKLOADS } from "./workloads.ts";

/** Kubernetes version of the demo cluster. */
export const DEMO_VERSION = "v1.34.1";

/** Nodes, namespaces, services, ingresses, settings, credentials and volumes of the demo cluster. */
export function clusterObjects(begin: number): readonly KubeObject[] {
  return [
    ...nodes(begin),
    ...namespaces(begin),
    ...WORKLOADS.flatMap((workload) => [
      service(workload, begin),
      ...configuration(workload, begin),
    ]),
    ingress("shop", "storefront", "shop.example.com", 8080, begin),
    ingress("payments", "payment-gateway", "pay.example.com", 8443, begin),
    ...claims(begin),
  ];
}

function nodes(begin: number): readonly KubeObject[] {
  const since = timestamp(begin - 40 * DAY);
  return NODES.map((node) => ({
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name: node.name,
      uid: uid(`node/${node.name}`),
      creationTimestamp: timestamp(begin - 140 * DAY),
      labels: {
        "kubernetes.io/hostname": node.name,
        "topology.kubernetes.io/zone": node.zone,
        "node.kubernetes.io/instance-type": node.instanceType,
        "node-role.kubernetes.io/worker": "",
      },
    },
    spec: {},
    status: {
      capacity: { cpu: String(node.cpu), memory: `${node.memoryGiB}Gi`, pods: "110" },
      allocatable: {
        cpu: `${node.cpu * 1000 - 110}m`,
        memory: `${node.memoryGiB - 2}Gi`,
        pods: "110",
      },
      conditions: [
        {
          type: "MemoryPressure",
          status: "False",
          reason: "KubeletHasSufficientMemory",
          lastTransitionTime: since,
        },
        {
          type: "DiskPressure",
          status: "False",
          reason: "KubeletHasNoDiskPressure",
          lastTransitionTime: since,
        },
        {
          type: "PIDPressure",
          status: "False",
          reason: "KubeletHasSufficientPID",
          lastTransitionTime: since,
        },
        {
          type: "Ready",
          status: "True",
          reason: "KubeletReady",
          message: "kubelet is posting ready status",
          lastTransitionTime: since,
        },
      ],
      nodeInfo: {
        kubeletVersion: DEMO_VERSION,
        containerRuntimeVersion: "containerd://2.1.4",
        osImage: "Linux",
        architecture: "amd64",
      },
    },
  }));
}

function namespaces(begin: number): readonly KubeObject[] {
  const names = ["default", "kube-system", ...new Set(WORKLOADS.map(({ namespace }) => namespace))];
  return names.map((name) => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: {
      name,
      uid: uid(`namespace/${name}`),
      creationTimestamp: timestamp(begin - 140 * DAY),
      labels: { "kubernetes.io/metadata.name": name },
    },
    spec: { finalizers: ["kubernetes"] },
    status: { phase: "Active" },
  }));
}

/** Metadata of an object that belongs to `workload`. */
function belonging(
  workload: Workload,
  kind: string,
  name: string,
  begin: number,
): KubeObject["metadata"] {
  return {
    name,
    namespace: workload.namespace,
    uid: uid(`${kind}/${workload.namespace}/${name}`),
    creationTimestamp: timestamp(begin - 61 * DAY),
    labels: workloadLabels(workload),
  };
}

function service(workload: Workload, begin: number): KubeObject {
  const { name, port, kind } = workload;
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: belonging(workload, "service", name, begin),
    spec: {
      type: "ClusterIP",
      clusterIP: kind === "StatefulSet" ? "None" : `10.96.${WORKLOADS.indexOf(workload)}.10`,
      selector: selectorLabels(workload),
      ports: [{ name: "http", port, protocol: "TCP", targetPort: port }],
    },
    status: { loadBalancer: {} },
  };
}

function configuration(workload: Workload, begin: number): readonly KubeObject[] {
  const { name, settings, credentials } = workload;
  const objects: KubeObject[] = [];
  if (settings !== undefined)
    objects.push({
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: belonging(workload, "configmap", `${name}-config`, begin),
      data: settings,
    });
  if (credentials !== undefined)
    objects.push({
      apiVersion: "v1",
      kind: "Secret",
      metadata: belonging(workload, "secret", `${name}-credentials`, begin),
      type: "Opaque",
      data: Object.fromEntries(credentials.map((key) => [key, standIn(`${name}/${key}`)])),
    });
  return objects;
}

/** A value that is nobody's credential, so that tests can look for it where it must not appear. */
function standIn(text: string): string {
  return Buffer.from(`demo-${suffix(text, 18)}`).toString("base64");
}

function ingress(
  namespace: string,
  name: string,
  host: string,
  port: number,
  begin: number,
): KubeObject {
  const backend = { service: { name, port: { number: port } } };
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "Ingress",
    metadata: {
      name,
      namespace,
      uid: uid(`ingress/${namespace}/${name}`),
      creationTimestamp: timestamp(begin - 61 * DAY),
    },
    spec: {
      ingressClassName: "public",
      rules: [{ host, http: { paths: [{ path: "/", pathType: "Prefix", backend }] } }],
      tls: [{ hosts: [host], secretName: `${name}-tls` }],
    },
    status: { loadBalancer: { ingress: [{ hostname: "lb.example.com" }] } },
  };
}

function claims(begin: number): readonly KubeObject[] {
  return PODS.flatMap(({ workload, name }) => {
    const { volumeGiB, namespace } = workload;
    if (volumeGiB === undefined) return [];
    const storage = `${volumeGiB}Gi`;
    const id = uid(`pvc/${namespace}/data-${name}`);
    return [
      {
        apiVersion: "v1",
        kind: "PersistentVolumeClaim",
        metadata: {
          name: `data-${name}`,
          namespace,
          uid: id,
          creationTimestamp: timestamp(begin - workload.ageMs),
          labels: selectorLabels(workload),
        },
        spec: {
          accessModes: ["ReadWriteOnce"],
          storageClassName: "standard",
          volumeName: `pvc-${id}`,
          resources: { requests: { storage } },
        },
        status: { phase: "Bound", accessModes: ["ReadWriteOnce"], capacity: { storage } },
      },
    ];
  });
}
