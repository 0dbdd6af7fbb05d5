import { mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Bundle, bundleRole, bytesOf, contentOf } from "../bundle/bundle-role.ts";
import { ROLE_MODULES, type Role } from "../bundle/roles.ts";

const DIST = resolve(import.meta.dirname, "..", "..", "dist");
const ROLES = Object.keys(ROLE_MODULES) as Role[];

/** Writes the bundles of the roles named, of all unless any is, to `dist/<role>/`. @returns Exit code. */
async function main(args: readonly string[]): Promise<number> {
  const unknown = args.find((arg) => !ROLES.some((role) => role === arg));
  if (unknown !== undefined) {
    process.stderr.write(`there is no role ${unknown} to bundle; one of: ${ROLES.join(", ")}\n`);
    return 2;
  }
  for (const role of args.length === 0 ? ROLES : (args as Role[])) {
    try {
      const bundle = await bundleRole(role);
      await write(role, bundle);
      process.stdout.write(report(role, bundle));
    } catch (error) {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      return 1;
    }
  }
  return 0;
}

async function write(role: Role, { files }: Bundle): Promise<void> {
  const folder = join(DIST, role);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  for (const [name, file] of Object.entries(files))
    await writeFile(join(folder, name), contentOf(file));
}

function report(role: Role, { name, files }: Bundle): string {
  const kib = (bytes: number): string => `${(bytes / 1024).toFixed(0).padStart(6)} KiB`;
  const rows = Object.entries(files).map(
    ([key, file]) => `  ${key.padEnd(40)}${kib(contentOf(file).length)}`,
  );
  return [`${role.padEnd(12)}${name.padEnd(30)}${kib(bytesOf(files))}`, ...rows, ""].join("\n");
}

process.exitCode = await main(process.argv.slice(2));
