import type { ChildProcess } from "node:child_process";

const guarded = new Set<ChildProcess>();

/**
 * Kills `child` when this process exits, or is told to by SIGTERM or SIGHUP (SIGINT reaches both from a terminal).
 *
 * Where somebody else listens to the signal too, it is theirs to decide whether this process ends.
 */
export function endWithThisProcess(child: ChildProcess): void {
  if (guarded.size === 0) {
    process.on("exit", killGuarded);
    process.on("SIGTERM", leave);
    process.on("SIGHUP", leave);
  }
  guarded.add(child);
  child.once("exit", () => {
    guarded.delete(child);
    if (guarded.size > 0) return;
    process.off("exit", killGuarded);
    process.off("SIGTERM", leave);
    process.off("SIGHUP", leave);
  });
}

function killGuarded(): void {
  for (const child of guarded) child.kill("SIGKILL");
}

function leave(signal: NodeJS.Signals): void {
  if (process.listenerCount(signal) > 1) return;
  killGuarded();
  process.off(signal, leave);
  process.kill(process.pid, signal);
}
