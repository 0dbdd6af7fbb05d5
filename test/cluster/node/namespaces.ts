import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { networkInterfaces } from "node:os";
import { promisify } from "node:util";
import { type OwnedProcess, startProcess } from "../owned-process.ts";
import { poll } from "../poll.ts";

const run = promisify(execFile);

/** 10 s for one command that sets up the network. */
const COMMAND_MS = 10_000;
/** 10 s until the holder has forked. */
const READY_MS = 10_000;

/** Namespaces of a node: its own network, mounts and processes, gone with {@link Namespaces.stop}. */
export interface Namespaces {
  /** Address inside, reachable from this machine. */
  readonly address: string;
  /** Address of this machine, reachable from inside. */
  readonly outside: string;
  /** A command that runs in the network alone, and is the started process itself. */
  inNetwork(command: string, args: readonly string[]): Command;
  /** A command that runs in network, mounts and processes of the node; it ends with the namespaces at the latest. */
  inNode(command: string, args: readonly string[]): Command;
  /** Runs a short command in the node to its end. @returns Its standard output. @throws Error with what it said. */
  run(command: string, args: readonly string[], signal: AbortSignal): Promise<string>;
  /** Kills whatever still runs in there; mounts and network go with it. */
  stop(): Promise<void>;
}

interface Command {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * Makes the namespaces: a process that waits holds them, and dies with this one however that ends.
 *
 * A pair of interfaces of a /30 network of 10.254.0.0/16 joins them with this machine.
 *
 * @throws ProcessStartError where namespaces are not allowed; Error when the network cannot be set up.
 */
export async function openNamespaces(logPath: string, signal: AbortSignal): Promise<Namespaces> {
  const holder = await startProcess(
    {
      name: "node namespaces",
      command: "setpriv",
      args: [
        ...["--pdeathsig", "KILL", "unshare", "--net", "--mount", "--propagation", "private"],
        ...["--pid", "--fork", "--kill-child", "--mount-proc", "sleep", "infinity"],
      ],
      logPath,
    },
    { timeoutMs: READY_MS, signal, probe: () => Promise.resolve(true) },
  );
  try {
    const init = await poll(() => firstProcess(holder.pid), {
      what: "the namespaces' first process",
      timeoutMs: READY_MS,
      signal,
    });
    const network = freeNetwork();
    await join(init, network, signal);
    return namespaces(holder, init, network);
  } catch (error) {
    await holder.stop();
    throw error;
  }
}

/** The only child of `unshare`: the first process of the new namespaces, once it has become the one that waits. */
async function firstProcess(holder: number): Promise<number | undefined> {
  const [child] = (await readFile(`/proc/${holder}/task/${holder}/children`, "utf8")).split(" ");
  if (child === undefined || child === "") return undefined;
  const name = await readFile(`/proc/${child}/comm`, "utf8");
  return name.trim() === "sleep" ? Number(child) : undefined;
}

function namespaces(holder: OwnedProcess, init: number, network: Network): Namespaces {
  const target = ["--target", String(init)];
  const inNode = (command: string, args: readonly string[]): Command => ({
    command: "nsenter",
    args: [...target, "--net", "--mount", "--pid", command, ...args],
  });
  return {
    address: network.inside,
    outside: network.outside,
    inNetwork: (command, args) => ({
      command: "nsenter",
      args: [...target, "--net", command, ...args],
    }),
    inNode,
    async run(command, args, signal) {
      const entered = inNode(command, args);
      const { stdout } = await run(entered.command, [...entered.args], { signal });
      return stdout;
    },
    async stop() {
      kill(init); // the one that holds them waits for its child, whatever it is told itself
      await holder.stop();
    },
  };
}

/** The first process of a namespace takes all others with it. */
function kill(init: number): void {
  try {
    process.kill(init, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

interface Network {
  /** Name of the outer interface; the inner one has a `p` behind it. */
  readonly name: string;
  readonly outside: string;
  readonly inside: string;
}

/** A /30 network that no interface of this machine uses. */
function freeNetwork(): Network {
  const used = new Set(
    Object.values(networkInterfaces()).flatMap((all) => (all ?? []).map(({ address }) => address)),
  );
  for (let third = 1; third < 255; third++) {
    const outside = `10.254.${third}.1`;
    if (!used.has(outside)) return { name: `kagent${third}`, outside, inside: `10.254.${third}.2` };
  }
  throw new Error("failed to find a free network in 10.254.0.0/16");
}

async function join(init: number, network: Network, signal: AbortSignal): Promise<void> {
  const { name, outside, inside } = network;
  const inner = `${name}p`;
  const ip = (...args: string[]) => run("ip", args, { signal, timeout: COMMAND_MS });
  const within = (...args: string[]) =>
    run("nsenter", ["--target", String(init), "--net", ...args], { signal, timeout: COMMAND_MS });
  await ip("link", "add", name, "type", "veth", "peer", "name", inner);
  await ip("link", "set", inner, "netns", String(init));
  await ip("addr", "add", `${outside}/30`, "dev", name);
  await ip("link", "set", name, "up");
  await within("ip", "link", "set", "lo", "up");
  await within("ip", "addr", "add", `${inside}/30`, "dev", inner);
  await within("ip", "link", "set", inner, "up");
  await within("ip", "route", "add", "default", "via", outside);
  // of this network namespace alone
  await within("sysctl", "-q", "-w", "net.ipv4.ip_forward=1");
}
