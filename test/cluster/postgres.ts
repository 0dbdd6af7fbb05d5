import { type ChildProcess, execFile, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { cp, mkdir, mkdtemp, open, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Writable } from "node:stream";
import { promisify } from "node:util";
import pg from "pg";
import { onFreePort } from "./free-port.ts";
import { ProcessStartError } from "./owned-process.ts";
import { poll } from "./poll.ts";
import { POSTGRES_BIN, postgresInstall } from "./postgres-install.ts";

const run = promisify(execFile);

/** 60 s: making a cluster takes 2 s on a quiet machine. */
const INIT_MS = 60_000;
/** 30 s: it starts in a tenth of a second. */
const READY_MS = 30_000;
/** 20 s to be gone: nothing is written any more. */
const STOP_MS = 20_000;
/** Postgres refuses to run as root; this is `nobody` wherever there is one. */
const NOBODY = 65_534;

/**
 * Runs a server and ends it, with its folder, as soon as descriptor 3 is at its end: that is when we are told to
 * stop, and also when the process that holds its other end is gone, however it went.
 */
const SUPERVISE = `
folder=$1; shift
trap : INT TERM HUP
"$@" 3<&- & server=$!
{ cat <&3 >/dev/null; kill -QUIT "$server"; } & watcher=$!
while kill -0 "$server" 2>/dev/null; do wait "$server"; done
kill "$watcher" 2>/dev/null
rm -rf "$folder"
`;

/** A running Postgres with pgvector, empty, for tests alone. */
export interface Postgres {
  /** Process id of the server. */
  readonly pid: number;
  /** Address of a database of it, as superuser over loopback; `postgres` is there from the start. */
  url(database?: string): string;
  /** Address of a database over the server's socket. */
  socketUrl(database?: string): string;
  /** Runs SQL as superuser in the database `postgres`, or another one. */
  query(sql: string, database?: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Ends the server and removes its data. May be called again. */
  stop(): Promise<void>;
}

/**
 * Starts a Postgres of the caller's own on loopback, with a password of its own.
 *
 * It ends with this process at the latest, even when that is killed.
 *
 * @throws MissingPostgresError where it cannot be had; ProcessStartError; the signal's reason.
 */
export async function startPostgres(signal: AbortSignal): Promise<Postgres> {
  const install = await postgresInstall(signal);
  const folder = await mkdtemp(join(tmpdir(), "kagent-postgres-"));
  try {
    const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
    const place = { folder, user, install, password: randomBytes(12).toString("hex"), signal };
    const home = await prepare(place);
    return await onFreePort((port) => launch({ ...place, install: home, port }));
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

interface Place {
  /** Holds everything of this server, for its user alone. */
  readonly folder: string;
  /** Who runs it, when it is not us. */
  readonly user: { readonly uid?: number; readonly gid?: number };
  readonly install: string;
  readonly password: string;
  readonly signal: AbortSignal;
}

/** Makes an empty cluster. @returns The installation that its user can reach. */
async function prepare(place: Place): Promise<string> {
  const { folder, user, password, signal } = place;
  const home = await reachable(place);
  const passwordFile = join(folder, "password");
  await writeFile(passwordFile, password, { mode: 0o600 });
  await mkdir(join(folder, "socket"));
  // All of it, so that the server's user can remove it as well.
  if (user.uid !== undefined)
    await run("chown", ["-R", `${user.uid}:${user.uid}`, folder], { signal });
  await run(
    join(home, POSTGRES_BIN, "initdb"),
    [
      ...["--pgdata", join(folder, "data"), "--username", "postgres", "--pwfile", passwordFile],
      ...["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"],
    ],
    { ...user, cwd: folder, env: {}, signal, timeout: INIT_MS },
  );
  return home;
}

/** A root's cache is closed to others, so the server gets a copy: 30 MB, a quarter of a second. */
async function reachable({ folder, user, install }: Place): Promise<string> {
  if (user.uid === undefined) return install;
  const copy = join(folder, "install");
  await cp(install, copy, { recursive: true });
  return copy;
}

async function launch(place: Place & { readonly port: number }): Promise<Postgres> {
  const { folder, user, install, password, port, signal } = place;
  const logPath = join(folder, "log");
  const log = await open(logPath, "a", 0o600);
  const command = [
    join(install, POSTGRES_BIN, "postgres"),
    ...["-D", join(folder, "data"), "-h", "127.0.0.1", "-p", `${port}`],
    ...["-k", join(folder, "socket"), "-c", "fsync=off", "-c", "full_page_writes=off"],
  ];
  const child = spawn("/bin/sh", ["-c", SUPERVISE, "postgres", folder, ...command], {
    ...user,
    cwd: folder,
    env: { PATH: process.env["PATH"] ?? "" },
    stdio: ["ignore", log.fd, log.fd, "pipe"],
  });
  const stop = stopper(child);
  try {
    await once(child, "spawn");
    const socket = encodeURIComponent(join(folder, "socket"));
    const url = (database = "postgres") =>
      `postgres://postgres:${password}@127.0.0.1:${port}/${database}`;
    const query = (sql: string, database?: string) => rowsOf(url(database), sql);
    await ready(child, () => query("select 1"), signal);
    const [pid] = (await readFile(join(folder, "data", "postmaster.pid"), "utf8")).split("\n");
    return {
      pid: Number(pid),
      url,
      socketUrl: (database = "postgres") =>
        `postgres://postgres:${password}@localhost:${port}/${database}?host=${socket}`,
      query,
      stop,
    };
  } catch (error) {
    const lines = (await readFile(logPath, "utf8").catch(() => "")).slice(-4_000);
    await stop();
    signal.throwIfAborted();
    throw new ProcessStartError("postgres", String(error), lines, { cause: error });
  } finally {
    await log.close();
  }
}

async function ready(
  child: ChildProcess,
  answer: () => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  const over = new AbortController();
  child.once("exit", () => {
    over.abort(new Error("it has ended"));
  });
  await poll(
    async () => {
      await answer();
      return true;
    },
    { what: "postgres ready", timeoutMs: READY_MS, signal: AbortSignal.any([signal, over.signal]) },
  );
}

/** Closing our end of the pipe is all it takes. */
function stopper(child: ChildProcess): () => Promise<void> {
  const gone = once(child, "exit");
  gone.catch(() => undefined); // a shell that cannot be started is told by `spawn`
  return async () => {
    (child.stdio[3] as Writable).destroy();
    if (child.exitCode !== null || child.signalCode !== null) return;
    const late = AbortSignal.timeout(STOP_MS);
    const timeout = once(late, "abort").then(() => {
      throw new Error(`failed to end postgres (supervised by process ${String(child.pid)})`);
    });
    await Promise.race([gone, timeout]);
  };
}

async function rowsOf(
  url: string,
  sql: string,
): Promise<readonly Readonly<Record<string, unknown>>[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: READY_MS });
  client.on("error", () => undefined); // the query that it breaks says so
  await client.connect();
  try {
    const { rows } = await client.query<Record<string, unknown>>(sql);
    return rows;
  } finally {
    await client.end();
  }
}
