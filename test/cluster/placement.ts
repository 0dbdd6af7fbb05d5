/** Where the processes of a cluster run, and what of the API server depends on it. */
export interface Placement {
  /** Address that they listen on, reachable from this process. */
  readonly address: string;
  /** A command as it has to be started to run there. */
  readonly enter: (
    command: string,
    args: readonly string[],
  ) => { readonly command: string; readonly args: readonly string[] };
  /** Further arguments of the API server. */
  readonly apiServerArguments: readonly string[];
}

/** On this machine, reachable by nobody else: API server and storage alone. */
export const LOOPBACK: Placement = {
  address: "127.0.0.1",
  enter: (command, args) => ({ command, args }),
  apiServerArguments: [
    // Loopback is no valid address of an endpoint, and nothing runs in this cluster that would use one.
    "--endpoint-reconciler-type=none",
    // Without a controller manager no namespace has its default service account, and every pod would be refused.
    "--disable-admission-plugins=ServiceAccount",
  ],
};
