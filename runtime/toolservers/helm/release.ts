import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import * as z from "zod";
import type { KubeObject } from "../../api/cluster-reader.ts";
import { ToolFailure } from "../define-tool.ts";
import { textAt } from "../json-value.ts";

/**
 * 16 MiB of JSON per release: the largest charts have about half of it. A Secret holds at most 1 MiB, which could
 * unpack to a thousand times as much.
 */
const MAX_RELEASE_BYTES = 16 * 1024 * 1024;

const Text = z
  .string()
  .nullish()
  .transform((text) => text ?? "");
const Values = z
  .record(z.string(), z.unknown())
  .nullish()
  .transform((values) => values ?? {});

/** A release as Helm 3 stores it, as far as it is read; lenient towards everything else. */
const Release = z.object({
  name: z.string(),
  namespace: Text,
  version: z.int(),
  info: z.object({
    first_deployed: Text,
    last_deployed: Text,
    description: Text,
    status: Text,
    notes: Text,
  }),
  chart: z.object({
    metadata: z.object({ name: Text, version: Text, appVersion: Text }),
    values: Values,
  }),
  config: Values,
  manifest: Text,
  hooks: z
    .array(
      z.object({ name: Text, kind: Text, events: z.array(z.string()).nullish(), manifest: Text }),
    )
    .nullish()
    .transform((hooks) => hooks ?? []),
});
/** One revision of a Helm release. */
export type Release = z.output<typeof Release>;

/** Type of the Secrets in which Helm 3 keeps releases. */
const RELEASE_SECRET_TYPE = "helm.sh/release.v1";

/** What a release Secret says about itself without being unpacked. */
export interface ReleaseHead {
  /** Name of the release. */
  readonly name: string;
  /** Its namespace. */
  readonly namespace: string;
  /** Number of the revision. */
  readonly revision: number;
  /** E.g. `deployed`, `superseded`, `failed`, `pending-upgrade`. */
  readonly status: string;
  /** The Secret. */
  readonly secret: KubeObject;
}

/** Reads the labels of a release Secret; `undefined` for any other Secret. */
export function releaseHead(secret: KubeObject): ReleaseHead | undefined {
  const labels = secret.metadata.labels ?? {};
  const { name, version, status } = labels;
  if (textAt(secret, "type") !== RELEASE_SECRET_TYPE || labels["owner"] !== "helm")
    return undefined;
  if (name === undefined || version === undefined || !/^\d{1,9}$/.test(version)) return undefined;
  const namespace = secret.metadata.namespace ?? "";
  return { name, namespace, revision: Number(version), status: status ?? "unknown", secret };
}

/**
 * Unpacks a release Secret: `data.release` is base64 of base64 of gzipped JSON.
 *
 * @throws ToolFailure when it is not, or unpacks to more than 16 MiB.
 * @see https://helm.sh/docs/topics/advanced/#storage-backends
 */
export async function readRelease({ name, revision, secret }: ReleaseHead): Promise<Release> {
  const inner = Buffer.from(textAt(secret, "data", "release"), "base64").toString("latin1");
  const packed = Buffer.from(inner, "base64");
  const text = await unpacked(packed);
  const parsed = text === undefined ? undefined : Release.safeParse(json(text));
  if (parsed?.success === true) return parsed.data;
  throw new ToolFailure(
    `revision ${revision} of release ${name} cannot be read: not a release of Helm 3, or larger than ${MAX_RELEASE_BYTES} bytes`,
  );
}

const unzip = promisify(gunzip);

async function unpacked(packed: Buffer): Promise<string | undefined> {
  const zipped = packed[0] === 0x1f && packed[1] === 0x8b;
  if (!zipped) return packed.toString("utf8");
  try {
    return (await unzip(packed, { maxOutputLength: MAX_RELEASE_BYTES })).toString("utf8");
  } catch {
    return undefined;
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
