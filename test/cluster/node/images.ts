import { execFile } from "node:child_process";
import { access, chmod, copyFile, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "../binaries.ts";
import { withFileLock } from "../file-lock.ts";
import { packImage } from "./oci-image.ts";

const run = promisify(execFile);

/** 2 minutes to compile twenty lines of Go on a busy machine. */
const BUILD_MS = 120_000;

/** What holds the namespaces of each pod. */
export const PAUSE_IMAGE = "kagent.test/pause:1";
/** The stock Node image, put together from the Node that runs this and the libraries it needs. */
export const NODE_IMAGE = "docker.io/library/node:24-slim";

const PAUSE_SOURCE = `package main

import (
	"os"
	"os/signal"
	"syscall"
)

func main() {
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGINT, syscall.SIGTERM)
	<-end
}
`;

/** Archives of the images that pods of tests run, made once per version and cached. */
export async function imageArchives(signal: AbortSignal): Promise<readonly string[]> {
  const folder = join(cacheFolder(process.env), `images-${process.version}-1`);
  const pause = join(folder, "pause.tar");
  const node = join(folder, "node.tar");
  await mkdir(folder, { recursive: true });
  await withFileLock(
    join(folder, "lock"),
    async () => {
      if (!(await exists(pause))) await make(packPause, pause, signal);
      if (!(await exists(node))) await make(packNode, node, signal);
    },
    { signal, onWait: () => process.stderr.write("cluster: waiting for images\n") },
  );
  return [pause, node];
}

type Pack = (root: string, target: string, signal: AbortSignal) => Promise<void>;

async function make(pack: Pack, target: string, signal: AbortSignal): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), "kagent-rootfs-"));
  try {
    await pack(work, target, signal);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

const packPause: Pack = async (work, target, signal) => {
  const source = join(work, "source");
  const root = join(work, "root");
  await mkdir(source);
  await mkdir(root);
  await writeFile(join(source, "go.mod"), "module kagent.invalid/pause\ngo 1.22\n");
  await writeFile(join(source, "main.go"), PAUSE_SOURCE);
  const env = { ...process.env, CGO_ENABLED: "0", GOWORK: "off" };
  const args = ["build", "-ldflags", "-s -w", "-o", join(root, "pause"), "."];
  await run("go", args, { cwd: source, env, signal, timeout: BUILD_MS });
  await packImage({ name: PAUSE_IMAGE, root, entrypoint: ["/pause"] }, target, signal);
};

const packNode: Pack = async (root, target, signal) => {
  const node = await realpath(process.execPath);
  const { stdout } = await run("ldd", [node], { signal, timeout: BUILD_MS });
  const libraries = stdout.match(/\/[^ ]+/g) ?? [];
  await put(node, join(root, "usr/local/bin/node"));
  for (const library of libraries) await put(library, join(root, library));
  await mkdir(join(root, "tmp"));
  await chmod(join(root, "tmp"), 0o1777);
  await packImage({ name: NODE_IMAGE, root, entrypoint: ["node"] }, target, signal);
};

async function put(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true });
  await copyFile(await realpath(from), to);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
