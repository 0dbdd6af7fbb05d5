import { type CatalogueTool, type ToolTable, toolsOf } from "./catalogue-tool.ts";

const GRAFANA: ToolTable = {
  read: {
    query_prometheus: "Evaluates a PromQL expression at a time or over a range.",
    query_loki_logs: "Queries log lines with LogQL.",
    query_loki_stats: "Tells how many streams and bytes a LogQL selector covers.",
    list_alert_rules: "Lists alert rules with their state.",
    get_alert_rule_by_uid: "Shows one alert rule.",
    list_contact_points: "Lists where alerts are sent.",
    find_error_pattern_logs: "Finds error patterns in logs that are more frequent than usual.",
    find_slow_requests: "Finds slow requests in traces.",
    search_dashboards: "Finds dashboards by words.",
    get_dashboard_by_uid: "Shows one dashboard.",
    get_dashboard_summary: "Shows a dashboard's title, panels and variables.",
    get_dashboard_panel_queries: "Lists the queries of a dashboard's panels.",
    list_datasources: "Lists data sources.",
    get_datasource_by_uid: "Shows a data source by its identifier.",
    get_datasource_by_name: "Shows a data source by its name.",
    list_prometheus_metric_names: "Lists names of metrics.",
    list_prometheus_metric_metadata: "Shows type and help of metrics.",
    list_prometheus_label_names: "Lists names of labels of metrics.",
    list_prometheus_label_values: "Lists values of a label of metrics.",
    list_loki_label_names: "Lists names of labels of log streams.",
    list_loki_label_values: "Lists values of a label of log streams.",
    list_incidents: "Lists incidents.",
    get_incident: "Shows one incident.",
    list_teams: "Lists teams.",
    generate_deeplink: "Makes a link to a dashboard, panel or query.",
  },
  write: {
    update_dashboard: "Creates or changes a dashboard.",
    create_incident: "Opens an incident.",
    add_activity_to_incident: "Adds a note to an incident.",
    create_alert_rule: "Creates an alert rule.",
    update_alert_rule: "Changes an alert rule.",
    delete_alert_rule: "Deletes an alert rule.",
  },
};

const OPENCOST: ToolTable = {
  read: {
    get_allocation_costs: "Costs by namespace, workload or label over a window.",
    get_asset_costs: "Costs of nodes, disks and load balancers over a window.",
    get_cloud_costs: "Costs as the cloud provider bills them.",
    get_efficiency: "How much of what was requested is used, with savings.",
  },
  write: {},
};

const GITHUB: ToolTable = {
  read: {
    get_me: "Shows the account the token belongs to.",
    get_file_contents: "Shows a file or lists a folder of a repository.",
    list_commits: "Lists commits of a branch or path.",
    get_commit: "Shows one commit with its changes.",
    list_branches: "Lists branches.",
    list_tags: "Lists tags.",
    list_releases: "Lists releases of a repository.",
    list_pull_requests: "Lists pull requests.",
    get_pull_request: "Shows one pull request.",
    get_pull_request_files: "Lists the files a pull request changes.",
    get_pull_request_diff: "Shows the diff of a pull request.",
    get_pull_request_status: "Shows the checks of a pull request.",
    get_pull_request_comments: "Lists the comments on a pull request.",
    get_pull_request_reviews: "Lists the reviews of a pull request.",
    pull_request_read: "Shows a pull request, its files, diff, checks or comments.",
    search_pull_requests: "Finds pull requests.",
    search_code: "Finds code.",
    search_issues: "Finds issues.",
    search_repositories: "Finds repositories.",
    list_issues: "Lists issues.",
    get_issue: "Shows one issue.",
    get_issue_comments: "Lists the comments on an issue.",
    issue_read: "Shows an issue, its comments or labels.",
  },
  write: {
    create_issue: "Opens an issue.",
    issue_write: "Opens or changes an issue.",
    update_issue: "Changes an issue.",
    add_issue_comment: "Comments on an issue or pull request.",
    create_branch: "Creates a branch.",
    create_or_update_file: "Commits one file to a branch.",
    push_files: "Commits several files to a branch.",
    create_pull_request: "Opens a pull request.",
    update_pull_request: "Changes a pull request.",
    update_pull_request_branch: "Merges the base branch into a pull request.",
    pull_request_review_write: "Reviews a pull request.",
    merge_pull_request: "Merges a pull request.",
    delete_file: "Deletes a file of a branch.",
    create_repository: "Creates a repository.",
    fork_repository: "Forks a repository.",
    delete_repository: "Deletes a repository.",
    actions_run_trigger: "Starts, repeats or cancels a workflow run.",
  },
};

const CODE: ToolTable = {
  read: {
    execute_python: "Runs Python without network or credentials and shows what it printed.",
    make_http_request: "Sends a request to a host of the allow-list.",
    get_current_time: "Tells the current time in a time zone.",
    add_memory: "Stores a note of the caller.",
    search_memories: "Finds notes of the caller by words.",
    list_memories: "Lists notes of the caller.",
  },
  write: {},
};

/** Tools of Grafana, OpenCost, GitHub and the code sandbox. */
export const PLATFORM_TOOLS: readonly CatalogueTool[] = [
  ...toolsOf("grafana", GRAFANA),
  ...toolsOf("opencost", OPENCOST),
  ...toolsOf("github", GITHUB),
  ...toolsOf("code", CODE),
];
