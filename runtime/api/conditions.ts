import * as z from "zod";

/** What a condition can speak of. */
export type ConditionType =
  /** The spec is sound and everything it refers to is there. */
  | "Accepted"
  /** The workload answers. */
  | "Ready"
  /** Something in the spec is ignored. */
  | "UnsupportedFeatures"
  /** Every tool that the Agent names exists at its server. */
  | "ToolsResolved"
  /** The Secret of a ModelProviderConfig is there, or none is needed. */
  | "SecretResolved"
  /** The provider told its models. */
  | "ModelsDiscovered";

/** A Kubernetes condition; times are RFC 3339 in UTC. */
export interface Condition {
  /** A {@link ConditionType}, or that of another controller. */
  readonly type: string;
  /** Unknown: not looked at yet, or not to be found out. */
  readonly status: "True" | "False" | "Unknown";
  /** CamelCase, for machines; ours are `REASONS` in names.ts. */
  readonly reason: string;
  /** For people. */
  readonly message: string;
  /** `metadata.generation` this condition speaks of. */
  readonly observedGeneration: number;
  /** When `status` last changed. */
  readonly lastTransitionTime: string;
}

/** A condition to set: {@link withCondition} adds generation and time. */
export type ConditionUpdate = Omit<
  Condition,
  "lastTransitionTime" | "observedGeneration" | "type"
> & {
  /** What it speaks of. */
  readonly type: ConditionType;
};

const STATUSES = ["True", "False", "Unknown"] as const;

/**
 * Schema of one condition in a CRD.
 *
 * @see https://github.com/kubernetes/community/blob/main/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties
 */
export const ConditionSchema = z.object({
  type: z
    .string()
    .max(316)
    .regex(
      /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$/,
    ),
  status: z.enum(STATUSES),
  reason: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/),
  message: z.string().max(32_768),
  observedGeneration: z.int().min(0).optional().meta({ format: "int64" }),
  lastTransitionTime: z.string().meta({ format: "date-time" }),
});

const LenientCondition = z.looseObject({
  type: z.string().min(1),
  status: z.enum(STATUSES),
  reason: z.string().catch(""),
  message: z.string().catch(""),
  observedGeneration: z.int().catch(0),
  lastTransitionTime: z.string().catch(""),
});

/** Conditions as a cluster answers them; one that is no condition is left out. */
export const ConditionList = z
  .array(z.unknown())
  .catch([])
  .transform((items): readonly Condition[] =>
    items.flatMap((item) => {
      const read = LenientCondition.safeParse(item);
      return read.success ? [read.data] : [];
    }),
  );

/**
 * `conditions` with one condition set; the same array when nothing changed, so that callers can
 * skip the write. The transition time moves only when the status does; other conditions keep their
 * places, a new one goes last.
 */
export function withCondition(
  conditions: readonly Condition[],
  next: ConditionUpdate,
  generation: number,
  now: Date,
): readonly Condition[] {
  const at = conditions.findIndex(({ type }) => type === next.type);
  const old = conditions[at];
  if (old !== undefined && isSame(old, next, generation)) return conditions;
  const lastTransitionTime =
    old?.status === next.status ? old.lastTransitionTime : now.toISOString();
  const set: Condition = { ...next, observedGeneration: generation, lastTransitionTime };
  return old === undefined ? [...conditions, set] : conditions.with(at, set);
}

/** `conditions` without those of one type; the same array when there is none. */
export function withoutCondition(
  conditions: readonly Condition[],
  type: ConditionType,
): readonly Condition[] {
  const rest = conditions.filter((condition) => condition.type !== type);
  return rest.length === conditions.length ? conditions : rest;
}

/** The condition of one type, if it is set. */
export function findCondition(
  conditions: readonly Condition[],
  type: ConditionType,
): Condition | undefined {
  return conditions.find((condition) => condition.type === type);
}

function isSame(old: Condition, next: ConditionUpdate, generation: number): boolean {
  return (
    old.status === next.status &&
    old.reason === next.reason &&
    old.message === next.message &&
    old.observedGeneration === generation
  );
}
