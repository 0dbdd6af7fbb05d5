/** Exit codes of the `kagent` command (decisions 30). */
export const EXIT = { ok: 0, failed: 1, usage: 2, unreachable: 3, waiting: 4 } as const;

/** A command ends with a message for people and an exit code. */
export class CommandError extends Error {
  override readonly name = "CommandError";
  /** One of {@link EXIT}. */
  readonly exitCode: number;

  constructor(message: string, exitCode: number, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Whether the reader of a pipe has left, as `head` does: not worth a word. */
function isClosedPipe(error: unknown): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === "EPIPE";
}

/** Keeps a reader that leaves early, as `head` does, from ending the process in the middle. */
export function outliveReaders(): void {
  for (const stream of [process.stdout, process.stderr])
    stream.on("error", (error) => {
      if (!isClosedPipe(error)) throw error;
    });
}

/** Writes to standard output; resolves when the reader has taken it or has left. */
export function print(text: string): Promise<void> {
  return new Promise((resolve, reject) => {
    process.stdout.write(text, (error) => {
      if (error instanceof Error && !isClosedPipe(error)) reject(error);
      else resolve();
    });
  });
}

/** Progress and questions go to standard error: standard output holds the answer alone. */
export function complain(line: string): Promise<void> {
  return new Promise((resolve) => {
    process.stderr.write(`${line}\n`, () => {
      resolve();
    });
  });
}

/** Tells of a failure on standard error. @returns The exit code. */
export function fail(error: unknown): number {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`kagent: ${message}\n`);
  return error instanceof CommandError ? error.exitCode : EXIT.failed;
}

/** Rows under a header, columns padded to their widest cell. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("   ")
      .trimEnd();
  return `${[header, ...rows].map(line).join("\n")}\n`;
}
