import { execFile } from "node:child_process";
import { access, constants, mkdir, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { cacheFolder } from "./binaries.ts";
import { withFileLock } from "./file-lock.ts";

const run = promisify(execFile);

/** Postgres 16 with pgvector 0.6.2, as a wheel of PyPI. */
const PACKAGE = "pgserver";
const VERSION = "0.1.4";
/** 5 minutes for a download of 10 MB, the wait for another process included. */
const OBTAIN_MS = 300_000;

/** Unpacks a wheel, without its 900 headers; unlike `zipfile`'s own command it keeps the executable bits. */
const UNPACK = `
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as wheel:
    for member in wheel.infolist():
        if "/include/" in member.filename:
            continue
        path = wheel.extract(member, sys.argv[2])
        mode = member.external_attr >> 16
        if mode and not member.is_dir():
            os.chmod(path, mode & 0o755)
`;

/** Where the executables are within {@link postgresInstall}. */
export const POSTGRES_BIN = join(PACKAGE, "pginstall", "bin");

/** No Postgres can be had here; the message says why. */
export class MissingPostgresError extends Error {
  override readonly name = "MissingPostgresError";
}

/**
 * Folder with an unpacked wheel that is a Postgres with pgvector, downloaded into the user's cache the first time.
 *
 * @throws MissingPostgresError when it has to be downloaded and python3, pip or the wheel is not to be had; the
 * signal's reason.
 */
export async function postgresInstall(signal: AbortSignal): Promise<string> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(OBTAIN_MS)]);
  const folder = join(cacheFolder(process.env), `${PACKAGE}-${VERSION}`);
  const unpacked = join(folder, "wheel");
  await mkdir(folder, { recursive: true });
  return withFileLock(
    join(folder, "lock"),
    async () => {
      if (!(await isExecutable(join(unpacked, POSTGRES_BIN, "postgres")))) {
        await download(folder, unpacked, limited);
      }
      return unpacked;
    },
    {
      onWait: () => {
        process.stderr.write("cluster: waiting for another process that downloads Postgres\n");
      },
      signal: limited,
    },
  );
}

async function download(folder: string, unpacked: string, signal: AbortSignal): Promise<void> {
  process.stderr.write(`cluster: downloading ${PACKAGE} ${VERSION}\n`);
  // The lock has one holder, so a part left here by a killed process belongs to nobody.
  const part = join(folder, "part");
  await rm(part, { recursive: true, force: true });
  await mkdir(part);
  try {
    const options = { signal, maxBuffer: 1_048_576 };
    const wheel = `${PACKAGE}==${VERSION}`;
    const only = ["--no-deps", "--only-binary=:all:", "--disable-pip-version-check", "--quiet"];
    await run("python3", ["-m", "pip", "download", ...only, "--dest", part, wheel], options);
    const file = (await readdir(part)).find((name) => name.endsWith(".whl"));
    if (file === undefined) throw new Error("pip has left no wheel");
    await run("python3", ["-c", UNPACK, join(part, file), join(part, "wheel")], options);
    await rm(unpacked, { recursive: true, force: true });
    await rename(join(part, "wheel"), unpacked);
  } catch (error) {
    signal.throwIfAborted();
    throw new MissingPostgresError(`failed to download ${PACKAGE} ${VERSION} with pip`, {
      cause: error,
    });
  } finally {
    await rm(part, { recursive: true, force: true });
  }
}

function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(
    () => true,
    () => false,
  );
}
