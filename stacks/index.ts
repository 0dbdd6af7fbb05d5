import * as k8s from "@pulumi/kubernetes";
import { agents as makeAgents } from "../infra/agents.ts";
import { crds } from "../infra/crds.ts";
import { definitions } from "./agents/index.ts";
import { readConfig } from "./config.ts";

const config = readConfig();
const provider = new k8s.Provider("cluster", { enableServerSideApply: true });

const namespace = new k8s.core.v1.Namespace(
  "kagent",
  { metadata: { name: config.namespace } },
  { provider },
);
const kinds = config.installCrds ? crds({ provider }) : [];

/** Names of the agents of this stack. */
export const agents = makeAgents(definitions(config), {
  provider,
  dependsOn: [namespace, ...kinds],
});
