import { PAUSE_IMAGE } from "./images.ts";
import { CNI_FOLDER } from "./packages.ts";

/** Name of the node. */
export const NODE_NAME = "node";

/** Domain of Services. */
const CLUSTER_DOMAIN = "cluster.local";

/** Addresses of pods; they exist inside the node's network alone. */
const POD_RANGE = "10.244.0.0/24";

/**
 * A bridge for the pods of the node.
 *
 * @see https://www.cni.dev/plugins/current/main/bridge/
 */
export function podNetwork(addressFolder: string): object {
  const ipam = {
    type: "host-local",
    ranges: [[{ subnet: POD_RANGE }]],
    routes: [{ dst: "0.0.0.0/0" }],
    dataDir: addressFolder,
  };
  return {
    cniVersion: "1.0.0",
    name: "kagent",
    plugins: [
      { type: "bridge", bridge: "cni0", isGateway: true, ipMasq: true, hairpinMode: true, ipam },
      { type: "portmap", capabilities: { portMappings: true } },
    ],
  };
}

/** Configuration of containerd (version 2 of its format). */
export function containerdConfig(folder: string, socket: string): string {
  const cri = `[plugins."io.containerd.grpc.v1.cri"`;
  return [
    "version = 2",
    `root = "${folder}/containerd"`,
    `state = "${folder}/containerd-state"`,
    "[grpc]",
    `  address = "${socket}"`,
    `${cri}]`,
    `  sandbox_image = "${PAUSE_IMAGE}"`,
    // Without CAP_SYS_RESOURCE the score of a sandbox cannot be lowered, and it would not start.
    "  restrict_oom_score_adj = true",
    `${cri}.cni]`,
    `  bin_dir = "${CNI_FOLDER}"`,
    `  conf_dir = "${folder}/cni"`,
    `${cri}.containerd.runtimes.runc]`,
    '  runtime_type = "io.containerd.runc.v2"',
    `${cri}.containerd.runtimes.runc.options]`,
    "  SystemdCgroup = false",
    "",
  ].join("\n");
}

/** Configuration of a kubelet that also works on control groups of version 1. */
export function kubeletConfig(folder: string, address: string): object {
  return {
    apiVersion: "kubelet.config.k8s.io/v1beta1",
    kind: "KubeletConfiguration",
    address,
    healthzBindAddress: address,
    containerRuntimeEndpoint: `unix://${folder}/containerd.sock`,
    cgroupDriver: "cgroupfs",
    failCgroupV1: false,
    failSwapOn: false,
    cgroupsPerQOS: false,
    enforceNodeAllocatable: [],
    clusterDNS: [address],
    clusterDomain: CLUSTER_DOMAIN,
    podLogsDir: `${folder}/pod-logs`,
    volumePluginDir: `${folder}/volume-plugins`,
    // The node's network is reachable from this machine and its pods alone.
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: "AlwaysAllow" },
    // A test must not depend on how full the disk of the machine is.
    evictionHard: {
      "memory.available": "50Mi",
      "nodefs.available": "1%",
      "nodefs.inodesFree": "1%",
      "imagefs.available": "1%",
    },
    imageGCHighThresholdPercent: 100,
  };
}

/**
 * Names of Services and nothing else: tests ask nobody outside.
 *
 * @see https://coredns.io/plugins/kubernetes/
 */
export function nameServerConfig(kubeconfig: string, address: string): string {
  return [
    ".:53 {",
    `  bind ${address}`,
    "  errors",
    `  health ${address}:8081`,
    `  kubernetes ${CLUSTER_DOMAIN} {`,
    `    kubeconfig ${kubeconfig} test`,
    "    ttl 1",
    "  }",
    "}",
    "",
  ].join("\n");
}

/** How processes of the node that are no pods find Services: as pods of the platform's namespace do. */
export function resolverConfig(address: string): string {
  const search = ["kagent.svc", "svc"].map((domain) => `${domain}.${CLUSTER_DOMAIN}`).join(" ");
  return `nameserver ${address}\nsearch ${search} ${CLUSTER_DOMAIN}\noptions ndots:5\n`;
}

/** Configuration of kube-proxy. */
export function proxyConfig(kubeconfig: string, address: string): object {
  return {
    apiVersion: "kubeproxy.config.k8s.io/v1alpha1",
    kind: "KubeProxyConfiguration",
    clientConnection: { kubeconfig },
    mode: "iptables",
    clusterCIDR: POD_RANGE,
    hostnameOverride: NODE_NAME,
    healthzBindAddress: `${address}:10256`,
    metricsBindAddress: `${address}:10249`,
    // these are settings of the whole machine
    conntrack: { maxPerCore: 0, min: 0 },
  };
}
