import { EXIT_USAGE, type RoleMain, startRole } from "./process/start-role.ts";

/** What this program can be; each is loaded when it is asked for. */
const ROLES: Readonly<
  Record<string, { readonly summary: string; readonly load: () => Promise<RoleMain> }>
> = {
  controller: {
    summary: "the platform's API and the reconciling of its objects; settings by environment",
    load: async () => (await import("./controller/role.ts")).runController,
  },
  worker: {
    summary: "agents from mounted Secrets: [--host HOST] [--port PORT] [--filepath FOLDER ...]",
    load: async () => (await import("./worker/role/role.ts")).runWorker,
  },
};

function usage(): string {
  const rows = Object.entries(ROLES).map(([name, role]) => `  ${name.padEnd(12)}${role.summary}`);
  return ["usage: node main.js <role> [arguments]", "", ...rows, ""].join("\n");
}

const [name, ...args] = process.argv.slice(2);
const role = name === undefined ? undefined : ROLES[name];
if (name === "--help" || name === "-h") process.stdout.write(usage());
else if (role === undefined) {
  if (name !== undefined) process.stderr.write(`there is no role ${name}\n`);
  process.stderr.write(usage());
  process.exitCode = EXIT_USAGE;
} else await startRole(await role.load(), args);
