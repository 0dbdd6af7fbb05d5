/** Structured log; `message` is fixed text in lower case, everything variable goes to `fields`. */
export interface Logger {
  /** For somebody who looks for a fault; off unless asked for. */
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** A change of state: a few lines per task. */
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Degraded but working. */
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Something an operator should look at. */
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Least severe first. */
const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
/** A severity. */
type LogLevel = (typeof LOG_LEVELS)[number];

/** How {@link jsonLog} writes. */
interface JsonLogOptions {
  /** Fields on every line, e.g. the name of the process. */
  readonly base?: Readonly<Record<string, unknown>>;
  /** Least severity that is written; `info` unless set. */
  readonly level?: LogLevel;
  /** Receives one line with its line break; standard output unless set. */
  readonly write?: (line: string) => void;
}

/** JSON lines, one object per line: the form that log collectors of clusters read. */
export function jsonLog(options: JsonLogOptions = {}): Logger {
  const { base = {}, level = "info" } = options;
  const write = options.write ?? ((line: string) => void process.stdout.write(line));
  const least = LOG_LEVELS.indexOf(level);
  const at =
    (name: LogLevel) =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}): void => {
      if (LOG_LEVELS.indexOf(name) < least) return;
      const time = new Date().toISOString();
      write(`${JSON.stringify({ time, level: name, message, ...base, ...fields })}\n`);
    };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** A log that goes nowhere, for callers that have none. */
export const silentLog: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
