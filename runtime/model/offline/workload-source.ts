import { textAt } from "./json-read.ts";
import { callOf, type PlannedCall } from "./known-tool.ts";
import { readStates } from "./read-objects.ts";
import { kindsIn, type ResourceKind } from "./resource-kinds.ts";
import { answersOf, type Situation, toolNamed } from "./situation.ts";
import { mentions, namespaceIn } from "./subject.ts";

/** A workload as the cluster has it, and the file it comes from. */
export interface WorkloadSource {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** YAML without its status; empty while it was not read. */
  readonly manifest: string;
  /** YAML with its status. */
  readonly live: string;
  /** File in the Git repository; empty where the cluster does not tell. */
  readonly file: string;
}

/** What is looked for: words that may name it, and a namespace where one is known. */
export interface WorkloadQuery {
  readonly names: readonly string[];
  readonly namespace?: string | undefined;
}

const WORKLOADS = ["deployments", "statefulsets", "daemonsets"];
const USUAL: readonly ResourceKind[] = [
  { type: "deployments", kind: "Deployment", namespaced: true },
  { type: "statefulsets", kind: "StatefulSet", namespaced: true },
];
const KUSTOMIZATIONS = "kustomizations.kustomize.toolkit.fluxcd.io";
const DELIVERED_BY = /^\s+kustomize\.toolkit\.fluxcd\.io\/name:\s*["']?([a-z0-9][a-z0-9.-]*)/m;
const DELIVERED_FROM =
  /^\s+kustomize\.toolkit\.fluxcd\.io\/namespace:\s*["']?([a-z0-9][a-z0-9.-]*)/m;

/** Calls that find a workload, read it, and read by which Flux Kustomization it came. */
export function sourceCalls(
  situation: Situation,
  query: WorkloadQuery,
): readonly (PlannedCall | undefined)[] {
  const list = toolNamed(situation, "k8s_get_resources");
  const yaml = toolNamed(situation, "k8s_get_resource_yaml");
  const lists = kindsOf(situation).map(({ type }) =>
    callOf(list, {
      resource_type: type,
      ...(query.namespace === undefined
        ? { all_namespaces: true }
        : { namespace: query.namespace }),
      output: "wide",
    }),
  );
  const target = targetOf(situation, query);
  if (target === undefined) return lists;
  const { kind, namespace, name } = target;
  const live = liveYaml(situation, target);
  const [by, from] = [DELIVERED_BY, DELIVERED_FROM].map((label) => label.exec(live)?.[1]);
  return [
    ...lists,
    callOf(yaml, { resource_type: kind.type, resource_name: name, namespace }),
    ...(by === undefined
      ? []
      : [callOf(yaml, { resource_type: KUSTOMIZATIONS, resource_name: by, namespace: from })]),
  ];
}

/** The workload that was found; `undefined` while none, or more than one, fits. */
export function sourceOf(situation: Situation, query: WorkloadQuery): WorkloadSource | undefined {
  const target = targetOf(situation, query);
  if (target === undefined) return undefined;
  const live = liveYaml(situation, target);
  const { namespace, name } = target;
  const { kind } = target.kind;
  const folder = folderOf(situation, live);
  return {
    kind,
    namespace,
    name,
    live,
    manifest: live.replace(/^status:[\s\S]*$/m, ""),
    file: folder === "" ? "" : `${folder}/${name}/${kind.toLowerCase()}.yaml`,
  };
}

interface Target {
  readonly kind: ResourceKind;
  readonly namespace: string;
  readonly name: string;
}

function kindsOf({ question }: Situation): readonly ResourceKind[] {
  const named = kindsIn(question).filter(({ type }) => WORKLOADS.includes(type));
  return named.length > 0 ? named : USUAL;
}

/** An object that is called like a word of the query before one that only begins like it. */
function targetOf(situation: Situation, { names, namespace }: WorkloadQuery): Target | undefined {
  const words = new Set(names);
  const place = namespace ?? namespaceIn(situation.question);
  const all = kindsOf(situation).flatMap((kind) =>
    answersOf(situation, "k8s_get_resources")
      .filter(({ args, failed }) => !failed && textAt(args, "resource_type") === kind.type)
      .flatMap((call) => readStates(call, kind)?.states ?? [])
      .filter((state) => place === undefined || state.namespace === place)
      .map((state) => ({ kind, namespace: state.namespace, name: state.name })),
  );
  const exact = all.filter(({ name }) => words.has(name));
  const fitting = exact.length > 0 ? exact : all.filter(({ name }) => mentions(words, name));
  return fitting.length === 1 ? fitting[0] : undefined;
}

function liveYaml(situation: Situation, { kind, namespace, name }: Target): string {
  return (
    answersOf(situation, "k8s_get_resource_yaml").find(
      ({ args, failed }) =>
        !failed &&
        textAt(args, "resource_type") === kind.type &&
        textAt(args, "resource_name") === name &&
        textAt(args, "namespace") === namespace,
    )?.text ?? ""
  );
}

/** Folder that Flux applies the workload from: the path of its Kustomization. */
function folderOf(situation: Situation, live: string): string {
  const by = DELIVERED_BY.exec(live)?.[1];
  const applied = answersOf(situation, "k8s_get_resource_yaml").find(
    ({ args, failed }) =>
      !failed &&
      textAt(args, "resource_type") === KUSTOMIZATIONS &&
      textAt(args, "resource_name") === by,
  );
  const path = /^\s+path:\s*["']?([\w./-]+)/m.exec(applied?.text ?? "")?.[1] ?? "";
  return path.replace(/^\.?\//, "").replace(/\/$/, "");
}
