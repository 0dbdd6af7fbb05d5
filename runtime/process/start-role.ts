/**
 * What a process does: runs until `signal` aborts.
 *
 * @returns Exit code.
 */
export type RoleMain = (
  signal: AbortSignal,
  env: Readonly<Record<string, string | undefined>>,
  args: readonly string[],
) => Promise<number>;

/** Exit code for arguments and settings that are wrong. */
export const EXIT_USAGE = 2;
/** What a process that has nothing left to do may still wait for, e.g. sockets that others keep open. */
const LEAVE_MS = 500;

/** Runs a role in this process: SIGTERM and SIGINT end it, a second one at once; its code becomes the process's. */
export async function startRole(run: RoleMain, args: readonly string[]): Promise<void> {
  const shutdown = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const)
    process.once(signal, () => {
      shutdown.abort(new Error(signal)); // a second signal finds no listener and ends the process
    });
  try {
    process.exitCode = await run(shutdown.signal, process.env, args);
  } catch (error) {
    const settings = error instanceof Error && error.name === "SettingsError";
    process.stderr.write(
      `failed to start: ${error instanceof Error ? error.message : String(error)}\n`,
    );
    process.exitCode = settings ? EXIT_USAGE : 1;
  }
  setTimeout(() => process.exit(), LEAVE_MS).unref();
}
