import type { Skill } from "./skill.ts";
import { abilities, anyTool } from "./skills/any-tool.ts";
import { clusterEvents } from "./skills/cluster-events.ts";
import { apiResources, clusterConfiguration } from "./skills/cluster-facts.ts";
import { currentTime, httpRequest, listMemories, python, recall, remember } from "./skills/code.ts";
import { costs } from "./skills/costs.ts";
import { delegate } from "./skills/delegate.ts";
import { describeObject, objectYaml, podLogs } from "./skills/describe-object.ts";
import { failingPods } from "./skills/failing-pods.ts";
import { flux } from "./skills/flux.ts";
import { gitChange } from "./skills/git-change.ts";
import {
  codeSearch,
  commits,
  fileContents,
  issues,
  pullRequest,
  pullRequestFiles,
  pullRequests,
} from "./skills/git-read.ts";
import { helm } from "./skills/helm.ts";
import { listObjects } from "./skills/list-objects.ts";
import { metrics } from "./skills/metrics.ts";
import {
  alertRules,
  dashboards,
  errorPatterns,
  lokiLogs,
  slowRequests,
} from "./skills/observability.ts";
import { summarise } from "./skills/summarise.ts";
import { workloadChange } from "./skills/workload-change.ts";

/** Every skill; of equally fitting ones the first is taken. */
export const SKILLS: readonly [Skill, ...Skill[]] = [
  workloadChange,
  failingPods,
  flux,
  helm,
  objectYaml,
  describeObject,
  podLogs,
  clusterEvents,
  clusterConfiguration,
  apiResources,
  listObjects,
  costs,
  errorPatterns,
  slowRequests,
  alertRules,
  dashboards,
  lokiLogs,
  metrics,
  gitChange,
  pullRequest,
  pullRequestFiles,
  pullRequests,
  commits,
  fileContents,
  codeSearch,
  issues,
  currentTime,
  remember,
  listMemories,
  recall,
  python,
  httpRequest,
  delegate,
  anyTool,
  summarise,
  abilities,
];
