import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { endWithThisProcess } from "./end-with-this-process.ts";
import { poll } from "./poll.ts";

/** A server process to start. */
export interface ProcessSpec {
  /** Shown in errors. */
  readonly name: string;
  /** Path of the executable. */
  readonly command: string;
  /** Its arguments; no secrets, every user of the machine can read them. */
  readonly args: readonly string[];
  /** File that takes stdout and stderr; appended to. */
  readonly logPath: string;
}

/** When a started process counts as ready. */
export interface ReadyOptions {
  /** Resolves to true once the process serves; a throw counts as "not yet". */
  readonly probe: (signal: AbortSignal) => Promise<boolean>;
  /** Limit of the wait. */
  readonly timeoutMs: number;
  /** Ends the wait, and the process with it. */
  readonly signal: AbortSignal;
}

/** A process did not start, ended early or was not ready in time. Trying again may help. */
export class ProcessStartError extends Error {
  override readonly name = "ProcessStartError";
  /** Last lines of the process's log. */
  readonly lastLines: string;

  constructor(process: string, reason: string, lastLines: string, options?: ErrorOptions) {
    super(`failed to start ${process}: ${reason}; its last log lines:\n${lastLines}`, options);
    this.lastLines = lastLines;
  }
}

/** A process that this one started and answers for. */
export interface OwnedProcess {
  /** Process id. */
  readonly pid: number;
  /**
   * Ends the process: SIGTERM, after 15 s SIGKILL. Resolves when it is gone; calling again waits for the same end.
   *
   * @throws Error when it is still there 5 s after SIGKILL.
   */
  stop(): Promise<void>;
}

/** 15 s: an API server drains requests under way before it leaves. */
const TERM_MS = 15_000;
/** 5 s for the kernel to take a killed process away. */
const KILL_MS = 5_000;
/** Enough for the reason of a failed start, little enough to read. */
const LAST_LINES = 25;
const LAST_BYTES = 16_384;

/**
 * Starts a process and waits until it is ready.
 *
 * It also ends when this process exits or is told to by SIGTERM or SIGHUP, so a test run that is cut short leaves nothing.
 *
 * @throws ProcessStartError with the last log lines; the signal's reason. The process is gone then.
 */
export async function startProcess(spec: ProcessSpec, ready: ReadyOptions): Promise<OwnedProcess> {
  ready.signal.throwIfAborted();
  const child = await launch(spec);
  const stop = onceStarted(() => end(spec.name, child));
  const over = new AbortController();
  const ended = (): void => {
    over.abort(new Error(`ended with ${String(child.exitCode ?? child.signalCode)}`));
  };
  child.once("exit", ended);
  if (child.exitCode !== null || child.signalCode !== null) ended();
  try {
    await poll(async (signal) => ((await ready.probe(signal)) ? true : undefined), {
      what: `${spec.name} ready`,
      timeoutMs: ready.timeoutMs,
      signal: AbortSignal.any([ready.signal, over.signal]),
    });
  } catch (error) {
    await stop();
    ready.signal.throwIfAborted();
    const reason = error instanceof Error ? error.message : String(error);
    throw new ProcessStartError(spec.name, reason, await lastLines(spec.logPath), { cause: error });
  }
  return { pid: child.pid ?? 0, stop };
}

async function launch(spec: ProcessSpec): Promise<ChildProcess> {
  const log = await open(spec.logPath, "a", 0o600);
  try {
    const child = spawn(spec.command, [...spec.args], {
      stdio: ["ignore", log.fd, log.fd],
      // Both servers also read flags from the environment; a test run must not depend on the caller's.
      env: { PATH: process.env["PATH"] ?? "" },
    });
    await once(child, "spawn");
    endWithThisProcess(child);
    return child;
  } catch (error) {
    throw new ProcessStartError(spec.name, String(error), "", { cause: error });
  } finally {
    await log.close();
  }
}

async function end(name: string, child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGTERM");
  if (await settles(gone, TERM_MS)) return;
  child.kill("SIGKILL");
  if (await settles(gone, KILL_MS)) return;
  throw new Error(`failed to end ${name} (process ${String(child.pid)})`);
}

async function settles(work: Promise<unknown>, timeoutMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => {
      resolve(false);
    }, timeoutMs);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

function onceStarted(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= work();
    return running;
  };
}

async function lastLines(path: string): Promise<string> {
  const file = await open(path, "r");
  try {
    const { size } = await file.stat();
    const from = Math.max(0, size - LAST_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(LAST_BYTES), 0, LAST_BYTES, from);
    const lines = buffer.toString("utf8", 0, bytesRead).trimEnd().split("\n");
    return lines.slice(-LAST_LINES).join("\n");
  } finally {
    await file.close();
  }
}
