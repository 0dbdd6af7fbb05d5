import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { NodeUnavailableError } from "./packages.ts";

const run = promisify(execFile);

/** 10 s for a second of work. */
const PREFLIGHT_MS = 10_000;

/** What a node does to the kernel, each once and in namespaces that are thrown away. */
const STEPS = `
set -e
ip link set lo up
ip link add kagent-a type veth peer name kagent-b
ip link add kagent-c type bridge
iptables -t nat -L -n >/dev/null
mount -t tmpfs none /mnt
mkdir /mnt/lower /mnt/upper /mnt/work /mnt/merged
mount -t overlay overlay -o lowerdir=/mnt/lower,upperdir=/mnt/upper,workdir=/mnt/work /mnt/merged
groups=/sys/fs/cgroup/memory
test -d "$groups" || groups=/sys/fs/cgroup
mkdir "$groups/kagent-preflight"
rmdir "$groups/kagent-preflight"
`;

/**
 * Tries what a node needs of the kernel: namespaces, virtual networks, address translation, overlays, control groups.
 *
 * @throws NodeUnavailableError with what the machine said to it; the signal's reason.
 */
export async function preflight(signal: AbortSignal): Promise<void> {
  const args = ["--net", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"];
  try {
    await run("unshare", [...args, "sh", "-c", STEPS], { signal, timeout: PREFLIGHT_MS });
  } catch (error) {
    signal.throwIfAborted();
    const said = error instanceof Error && "stderr" in error ? String(error.stderr).trim() : "";
    throw new NodeUnavailableError(`this machine does not let a node run: ${said}`, {
      cause: error,
    });
  }
}
