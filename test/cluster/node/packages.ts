import { execFile } from "node:child_process";
import { access, constants } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** This machine cannot run a node; the message says what is missing. */
export class NodeUnavailableError extends Error {
  override readonly name = "NodeUnavailableError";
}

/** 10 minutes to install a dozen small packages. */
const INSTALL_MS = 600_000;
/** Plug-ins of pod networks, as Debian installs them. */
export const CNI_FOLDER = "/usr/lib/cni";

/** What a node needs of the machine: command, and the Debian package that has it. */
const COMMANDS = {
  containerd: "containerd",
  ctr: "containerd",
  runc: "runc",
  ip: "iproute2",
  iptables: "iptables",
  conntrack: "conntrack",
  nsenter: "util-linux",
  setpriv: "util-linux",
  unshare: "util-linux",
  sysctl: "procps",
  mount: "mount",
} as const;

/**
 * Makes sure of everything that runs pods; installs missing Debian packages where that is possible.
 *
 * @throws NodeUnavailableError when this is not Linux, not root, or a package is missing and cannot be installed.
 */
export async function nodePackages(signal: AbortSignal): Promise<void> {
  if (process.platform !== "linux" || process.getuid?.() !== 0)
    throw new NodeUnavailableError("a node that runs pods needs Linux and root");
  const missing = await missingPackages();
  if (missing.length === 0) return;
  process.stderr.write(`cluster: installing ${missing.join(", ")}\n`);
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const options = { env, signal, timeout: INSTALL_MS };
    await run("apt-get", ["update", "-qq"], options);
    await run("apt-get", ["install", "-y", "-qq", "--no-install-recommends", ...missing], options);
  } catch (error) {
    signal.throwIfAborted();
    throw new NodeUnavailableError(`failed to install ${missing.join(", ")}`, { cause: error });
  }
  const still = await missingPackages();
  if (still.length > 0)
    throw new NodeUnavailableError(`still missing after the installation: ${still.join(", ")}`);
}

async function missingPackages(): Promise<readonly string[]> {
  const missing = new Set<string>();
  for (const [command, name] of Object.entries(COMMANDS))
    if (!(await onPath(command))) missing.add(name);
  if (!(await isExecutable(join(CNI_FOLDER, "bridge")))) missing.add("containernetworking-plugins");
  return [...missing];
}

async function onPath(command: string): Promise<boolean> {
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  for (const folder of folders) if (await isExecutable(join(folder, command))) return true;
  return false;
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
