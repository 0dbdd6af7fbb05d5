import { stringify } from "yaml";
import * as z from "zod";
import type { ToolDefinition } from "../../api/tool.ts";
import {
  choice,
  flag,
  namespaceName,
  objectName,
  optionalNamespace,
  optionalText,
} from "../arguments.ts";
import { boundBytes, trimRows } from "../bounded-text.ts";
import { defineTool, labelled } from "../define-tool.ts";
import { agoText, fieldLines } from "../kubernetes/describe-parts.ts";
import { type ClusterToolsDeps, reading, whereText } from "../kubernetes/reading.ts";
import { redactText, redactValue } from "../redact.ts";
import { textTable } from "../text-table.ts";
import { manifestText } from "./manifest-text.ts";
import { type Release, type ReleaseHead, readRelease } from "./release.ts";
import { currentRelease, latest, releaseHeads, revisionsOf } from "./release-store.ts";

/**
 * The Helm read tools over one cluster, named as kagent-tools names them (kagent-api section 6).
 *
 * They read the cluster's release Secrets; values whose names look like credentials are blanked.
 */
export function helmTools(deps: ClusterToolsDeps): readonly ToolDefinition[] {
  return labelled(deps.cluster.label, [
    listReleases(deps),
    getRelease(deps),
    getValues(deps),
    history(deps),
    status(deps),
  ]);
}

const One = {
  name: objectName("Name of the release"),
  namespace: namespaceName("Namespace of the release"),
};

/** Releases in these states need attention or come to an end. */
const UNWELL = /^(failed|pending|uninstalling|unknown)/;

function listReleases(deps: ClusterToolsDeps): ToolDefinition {
  return defineTool({
    name: "helm_list_releases",
    description:
      "Lists Helm releases with revision, status, chart and app version; failed and pending ones first. Use it to see what is installed by Helm and which upgrade failed.",
    inputSchema: z.strictObject({
      namespace: optionalNamespace("Namespace; absent: all namespaces"),
      all_namespaces: flag("Look in all namespaces, whatever namespace says"),
      failed: flag("Only failed releases"),
      deployed: flag("Only deployed releases"),
      pending: flag("Only releases with an operation under way"),
      filter: optionalText(100, "Only releases whose name contains this text"),
    }),
    run: (args, { signal }) =>
      reading(deps, signal, async (now) => {
        const namespace = args.all_namespaces ? undefined : args.namespace;
        const { heads, more } = await releaseHeads(
          now,
          namespace === undefined ? {} : { namespace },
        );
        const wanted = latest(heads).filter((head) => isWanted(head, args));
        const ordered = wanted.toSorted((a, b) => rank(a) - rank(b));
        if (ordered.length === 0) return `no Helm releases ${whereText(namespace)}`;
        const { head, tail, leftOut } = trimRows(ordered);
        const rows = await Promise.all([...head, ...tail].map((each) => releaseRow(each, now.now)));
        const table = textTable(
          [
            "NAMESPACE",
            "NAME",
            "REVISION",
            "UPDATED",
            "STATUS",
            "CHART",
            "APP VERSION",
            "DESCRIPTION",
          ],
          rows,
        );
        const notes = [
          ...(leftOut.length === 0
            ? []
            : [`... ${leftOut.length} of ${ordered.length} releases left out ...`]),
          ...(more
            ? ["... the cluster has more release Secrets than were read; give a namespace ..."]
            : []),
        ];
        return boundBytes([...table, ...notes].join("\n"));
      }),
  });
}

function isWanted(
  head: ReleaseHead,
  args: {
    readonly failed: boolean;
    readonly deployed: boolean;
    readonly pending: boolean;
    readonly filter?: string | undefined;
  },
): boolean {
  if (args.filter !== undefined && !head.name.includes(args.filter.toLowerCase())) return false;
  if (!args.failed && !args.deployed && !args.pending) return true;
  if (args.failed && head.status === "failed") return true;
  if (args.deployed && head.status === "deployed") return true;
  return args.pending && head.status.startsWith("pending");
}

function rank({ status }: ReleaseHead): number {
  return UNWELL.test(status) ? 0 : 1;
}

async function releaseRow(head: ReleaseHead, now: number): Promise<readonly string[]> {
  const release = await readRelease(head);
  const { chart, info } = release;
  return [
    head.namespace,
    head.name,
    String(head.revision),
    agoText(info.last_deployed, now),
    head.status,
    chartText(release),
    chart.metadata.appVersion,
    redactText(info.description),
  ];
}

function chartText({ chart }: Release): string {
  return `${chart.metadata.name}-${chart.metadata.version}`;
}

const PARTS = ["all", "values", "manifest", "notes", "hooks"] as const;

function getRelease(deps: ClusterToolsDeps): ToolDefinition {
  return defineTool({
    name: "helm_get_release",
    description:
      "One Helm release: status, the values it was given, its manifest, notes or hooks. Use resource=values or manifest to see what was really rendered.",
    inputSchema: z.strictObject({
      ...One,
      resource: choice(PARTS, "all", "Which part: all (default), values, manifest, notes or hooks"),
    }),
    run: ({ name, namespace, resource }, { signal }) =>
      reading(deps, signal, async (now) => {
        const release = await currentRelease(now, { name, namespace });
        if (resource !== "all") return boundBytes(partText(release, resource));
        const parts = (["values", "notes", "hooks", "manifest"] as const).map(
          (part) => `${part.toUpperCase()}:\n${partText(release, part)}`,
        );
        return boundBytes([...statusLines(release, now.now), "", ...parts].join("\n"));
      }),
  });
}

function partText(release: Release, part: Exclude<(typeof PARTS)[number], "all">): string {
  switch (part) {
    case "values":
      return valuesText(release.config);
    case "manifest":
      return manifestText(release.manifest);
    case "notes":
      return redactText(release.info.notes) || "(none)";
    case "hooks":
      return release.hooks.map(({ manifest }) => manifestText(manifest)).join("\n") || "(none)";
  }
}

function valuesText(values: Readonly<Record<string, unknown>>): string {
  if (Object.keys(values).length === 0) return "(none)";
  return stringify(redactValue(values)).trimEnd();
}

function getValues(deps: ClusterToolsDeps): ToolDefinition {
  return defineTool({
    name: "helm_get_values",
    description:
      "Values that a Helm release was given, credentials blanked; with all_values=true the chart's own defaults too.",
    inputSchema: z.strictObject({
      ...One,
      all_values: flag("Show the chart's defaults too, overridden by the given values"),
    }),
    run: ({ name, namespace, all_values: all }, { signal }) =>
      reading(deps, signal, async (now) => {
        const { config, chart } = await currentRelease(now, { name, namespace });
        return boundBytes(valuesText(all ? merged(chart.values, config) : config));
      }),
  });
}

/** `over` laid over `base`: objects key by key, everything else replaced, as Helm does. */
function merged(
  base: Readonly<Record<string, unknown>>,
  over: Readonly<Record<string, unknown>>,
): Readonly<Record<string, unknown>> {
  const both = Object.entries(over).map(([key, value]): [string, unknown] => {
    const under = Object.hasOwn(base, key) ? base[key] : undefined;
    return [key, isRecord(under) && isRecord(value) ? merged(under, value) : value];
  });
  return { ...base, ...Object.fromEntries(both) };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function history(deps: ClusterToolsDeps): ToolDefinition {
  return defineTool({
    name: "helm_history",
    description:
      "Revisions of a Helm release with date, status and description, the latest last. Use it to see when an upgrade failed and what ran before.",
    inputSchema: z.strictObject(One),
    run: ({ name, namespace }, { signal }) =>
      reading(deps, signal, async (now) => {
        const heads = await revisionsOf(now, { name, namespace });
        const { head, tail, leftOut } = trimRows(heads);
        const rows = await Promise.all([...head, ...tail].map((each) => releaseRow(each, now.now)));
        const table = textTable(
          ["REVISION", "UPDATED", "STATUS", "CHART", "APP VERSION", "DESCRIPTION"],
          rows.map((row) => row.slice(2)),
        );
        const marker = leftOut.length === 0 ? [] : [`... ${leftOut.length} revisions left out ...`];
        return boundBytes([...table, ...marker].join("\n"));
      }),
  });
}

function status(deps: ClusterToolsDeps): ToolDefinition {
  return defineTool({
    name: "helm_status",
    description: "Status of a Helm release: state, last deployment, why it failed, notes.",
    inputSchema: z.strictObject(One),
    run: ({ name, namespace }, { signal }) =>
      reading(deps, signal, async (now) => {
        const release = await currentRelease(now, { name, namespace });
        const notes = ["", "NOTES:", partText(release, "notes")];
        return boundBytes([...statusLines(release, now.now), ...notes].join("\n"));
      }),
  });
}

function statusLines(release: Release, now: number): readonly string[] {
  const { info, chart } = release;
  return fieldLines([
    ["Name", release.name],
    ["Namespace", release.namespace],
    ["Status", info.status],
    ["Revision", String(release.version)],
    ["Description", redactText(info.description)],
    ["Last Deployed", agoText(info.last_deployed, now)],
    ["First Deployed", agoText(info.first_deployed, now)],
    ["Chart", chartText(release)],
    ["App Version", chart.metadata.appVersion],
  ]);
}
