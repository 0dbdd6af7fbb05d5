import { type CostRow, HEAD_ROOM } from "./cost-rows.ts";
import { editManifest } from "./manifest-edit.ts";
import { blockDiff } from "./manifest-patch.ts";
import type { ProposedChange } from "./report.ts";
import type { WorkloadSource } from "./workload-source.ts";

/** What right-sizing a workload comes to: a change, or the reason why there is none. */
export type RightSize =
  | { readonly change: ProposedChange }
  | { readonly change?: never; readonly why: string };

/**
 * Requests that fit the use of a workload, as a change of the file that it comes from.
 *
 * @param row - Use of all its pods together, times the head-room.
 */
export function rightSize(source: WorkloadSource, row: CostRow): RightSize {
  const { manifest, live, file, namespace, name } = source;
  const who = `${namespace}/${name}`;
  const replicas = fieldOf(manifest, "replicas") ?? 1;
  const ready = fieldOf(live, "readyReplicas") ?? 0;
  if (replicas === 0 || ready < replicas)
    return { why: `${ready} of ${replicas} pods of ${who} are ready, so its use says little` };
  if (file === "") return { why: `the cluster does not tell from which file ${who} comes` };
  const requests = requestsOf(row, replicas);
  const edited = requests.reduce((text, { key, value }) => {
    const change = { key, to: { value }, block: "requests", subject: "" } as const;
    return editManifest(text, change)?.content ?? text;
  }, manifest);
  if (edited === manifest)
    return { why: `the requests of ${who} are as they should be, or not known` };
  const asked = requests.map(({ key, value }) => `${key} ${value}`).join(", ");
  return {
    change: {
      file_path: file,
      yaml_diff: blockDiff(manifest, edited),
      rationale: `Requests of ${who} for each of ${replicas} pods: ${asked}, which is the use that was observed times ${HEAD_ROOM}. The file follows from the path of the Flux Kustomization and the layout <path>/<workload>/<kind>.yaml.`,
    },
  };
}

/** A number of the spec or the status. */
function fieldOf(yaml: string, key: string): number | undefined {
  const digits = new RegExp(`^ {2}${key}:\\s*(\\d+)`, "m").exec(yaml)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

function requestsOf({ cpuTarget, memoryTarget }: CostRow, replicas: number) {
  const cpu = share(cpuTarget, replicas, CPU);
  const memory = share(memoryTarget, replicas, MEMORY);
  return [
    ...(cpu === undefined ? [] : [{ key: "cpu" as const, value: cpu }]),
    ...(memory === undefined ? [] : [{ key: "memory" as const, value: memory }]),
  ];
}

/** Units with what they are worth in the smallest one, which is what is written. */
interface Units {
  readonly written: string;
  readonly worth: Readonly<Record<string, number>>;
}

const CPU: Units = { written: "m", worth: { "": 1_000, m: 1 } };
const MEMORY: Units = {
  written: "Mi",
  worth: { Ki: 1 / 1_024, Mi: 1, Gi: 1_024, Ti: 1_024 * 1_024 },
};

/** One pod's share of an amount, rounded up to a whole small unit; `undefined` for an amount of another unit. */
function share(amount: string, replicas: number, { written, worth }: Units): string | undefined {
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(amount) ?? [];
  const factor = Object.hasOwn(worth, unit) ? worth[unit] : undefined;
  if (digits === undefined || factor === undefined) return undefined;
  const whole = Math.ceil((Number(digits) * factor) / replicas);
  return whole === 0 ? undefined : `${whole}${written}`;
}
