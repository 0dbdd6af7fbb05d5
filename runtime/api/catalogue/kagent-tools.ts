import { type CatalogueTool, type ToolTable, toolsOf } from "./catalogue-tool.ts";

const K8S: ToolTable = {
  read: {
    get_resources: "Lists resources of a type, or gets one by name.",
    get_resource_yaml: "Shows a resource as YAML.",
    get_pod_logs: "Shows the last lines of a container's log.",
    get_events: "Lists events of a namespace, or of all.",
    describe_resource: "Describes a resource with its events.",
    get_available_api_resources: "Lists the kinds the API server knows.",
    get_cluster_configuration: "Shows versions and addresses of the cluster.",
    generate_resource: "Writes a manifest with a language model, without applying it.",
  },
  write: {
    scale: "Sets the replicas of a workload.",
    rollout: "Restarts, pauses, resumes or undoes a rollout.",
    patch_resource: "Patches a resource.",
    patch_status: "Patches the status of a resource.",
    apply_manifest: "Applies a manifest.",
    create_resource: "Creates a resource from a manifest.",
    create_resource_from_url: "Creates resources from a manifest at a URL.",
    delete_resource: "Deletes a resource.",
    execute_command: "Runs a command in a container.",
    label_resource: "Sets labels of a resource.",
    annotate_resource: "Sets annotations of a resource.",
    remove_label: "Removes a label of a resource.",
    remove_annotation: "Removes an annotation of a resource.",
    check_service_connectivity: "Starts a pod that tries to reach a Service.",
  },
};

const HELM: ToolTable = {
  read: {
    list_releases: "Lists releases with status, chart and revision.",
    get_release: "Shows one release: values, manifest, notes or hooks.",
    get_values: "Shows the values a release was installed with.",
    history: "Lists the revisions of a release.",
    status: "Shows the status of a release and its notes.",
    repo_update: "Refreshes the server's own copy of the chart indexes.",
  },
  write: {
    upgrade: "Installs or upgrades a release.",
    uninstall: "Removes a release.",
    repo_add: "Adds a chart repository to the server.",
  },
};

const PROMETHEUS: ToolTable = {
  read: {
    query_tool: "Evaluates a PromQL expression now.",
    query_range_tool: "Evaluates a PromQL expression over a time range.",
    label_names_tool: "Lists label names.",
    targets_tool: "Lists scrape targets with their health.",
    promql_tool: "Writes a PromQL expression with a language model.",
  },
  write: {},
};

const ARGO: ToolTable = {
  read: {
    rollouts_list: "Lists Argo Rollouts.",
    check_plugin_logs: "Shows the log of the Rollouts plug-in.",
    verify_argo_rollouts_controller_install: "Checks that the Rollouts controller runs.",
    verify_kubectl_plugin_install: "Checks that the kubectl plug-in is there.",
  },
  write: {
    promote_rollout: "Promotes a rollout to its next step.",
    pause_rollout: "Pauses a rollout.",
    set_rollout_image: "Sets the image of a rollout.",
    verify_gateway_plugin: "Checks the Gateway plug-in and installs it where it is missing.",
  },
};

const ISTIO: ToolTable = {
  read: {
    proxy_status: "Shows how far the proxies are in sync.",
    proxy_config: "Shows the configuration of a proxy.",
    version: "Shows versions of control plane and proxies.",
    remote_clusters: "Lists remote clusters.",
    analyze_cluster_configuration: "Looks for mistakes in the mesh configuration.",
    generate_manifest: "Writes an installation manifest without applying it.",
    list_waypoints: "Lists waypoints.",
    generate_waypoint: "Writes a waypoint without applying it.",
    waypoint_status: "Shows the status of a waypoint.",
    ztunnel_config: "Shows the configuration of ztunnel.",
  },
  write: {
    install_istio: "Installs Istio.",
    apply_waypoint: "Applies a waypoint.",
    delete_waypoint: "Deletes a waypoint.",
  },
};

const UNPREFIXED: ToolTable = {
  read: { datetime_get_current_time: "Tells the current time." },
  write: { shell: "Runs a command of a shell on the server." },
};

/** Tools of kagent's tool server, and what our own adds for Helm (kagent-api.md section 6). */
export const KAGENT_TOOLS: readonly CatalogueTool[] = [
  ...toolsOf("k8s", K8S, "k8s_"),
  ...toolsOf("helm", HELM, "helm_"),
  ...toolsOf("kagent-tools", PROMETHEUS, "prometheus_"),
  ...toolsOf("kagent-tools", ARGO, "argo_"),
  ...toolsOf("kagent-tools", ISTIO, "istio_"),
  ...toolsOf("kagent-tools", UNPREFIXED),
];
