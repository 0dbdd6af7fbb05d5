import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** 2 minutes: 130 MB on a slow disk. */
const TAR_MS = 120_000;

/** What an image is made of. */
export interface ImageSpec {
  /** Full name, e.g. `docker.io/library/node:24-slim`. */
  readonly name: string;
  /** Folder that becomes the root file system. */
  readonly root: string;
  readonly entrypoint: readonly string[];
}

/**
 * Packs a folder as an OCI archive of one layer, as `ctr images import` takes it.
 *
 * @see https://github.com/opencontainers/image-spec/blob/main/image-layout.md
 */
export async function packImage(
  spec: ImageSpec,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  const layout = await mkdtemp(join(tmpdir(), "kagent-image-"));
  try {
    await mkdir(join(layout, "blobs", "sha256"), { recursive: true });
    const layer = join(layout, "layer");
    await tar(["--owner=0", "--group=0", "--sort=name", "--mtime=@0"], spec.root, layer, signal);
    const layerBlob = await keep(layout, layer);
    const config = await blob(layout, {
      architecture: process.arch === "x64" ? "amd64" : process.arch,
      os: "linux",
      config: { Entrypoint: spec.entrypoint, Env: ["PATH=/usr/local/bin:/usr/bin:/bin"] },
      rootfs: { type: "layers", diff_ids: [layerBlob.digest] },
    });
    const manifest = await blob(layout, {
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: { mediaType: "application/vnd.oci.image.config.v1+json", ...config },
      layers: [{ mediaType: "application/vnd.oci.image.layer.v1.tar", ...layerBlob }],
    });
    const annotations = { "io.containerd.image.name": spec.name };
    const mediaType = "application/vnd.oci.image.manifest.v1+json";
    await writeJson(join(layout, "index.json"), {
      schemaVersion: 2,
      manifests: [{ mediaType, ...manifest, annotations }],
    });
    await writeJson(join(layout, "oci-layout"), { imageLayoutVersion: "1.0.0" });
    const partial = `${target}.partial`;
    await tar([], layout, partial, signal);
    await rename(partial, target);
  } finally {
    await rm(layout, { recursive: true, force: true });
  }
}

interface Blob {
  readonly digest: string;
  readonly size: number;
}

async function blob(layout: string, value: object): Promise<Blob> {
  const path = join(layout, "blob");
  await writeJson(path, value);
  return keep(layout, path);
}

async function keep(layout: string, path: string): Promise<Blob> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) hash.update(chunk);
  const digest = hash.digest("hex");
  const { size } = await stat(path);
  await rename(path, join(layout, "blobs", "sha256", digest));
  return { digest: `sha256:${digest}`, size };
}

async function writeJson(path: string, value: object): Promise<void> {
  await writeFile(path, JSON.stringify(value));
}

async function tar(
  options: readonly string[],
  folder: string,
  target: string,
  signal: AbortSignal,
): Promise<void> {
  await run("tar", [...options, "-C", folder, "-cf", target, "."], { signal, timeout: TAR_MS });
}
