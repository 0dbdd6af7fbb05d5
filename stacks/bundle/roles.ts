/** Where each role that runs in a cluster begins: a module of `runtime` and its RoleMain. */
export const ROLE_MODULES = {
  controller: { module: "controller/role.ts", run: "runController" },
  worker: { module: "worker/role/role.ts", run: "runWorker" },
} as const;
/** A role that is delivered as a bundle. */
export type Role = keyof typeof ROLE_MODULES;
