import type https from "node:https";

/** What a request to an API server carries: headers, TLS settings, and an agent where a proxy stands between. */
export type RequestCredentials = Pick<
  https.RequestOptions,
  "agent" | "auth" | "ca" | "cert" | "headers" | "key" | "rejectUnauthorized" | "servername"
>;

/** Credentials of the next request; short-lived ones are renewed in here. */
export type CredentialSource = () => Promise<RequestCredentials>;

/** An API server and the way to prove who we are. */
export interface ChosenCluster {
  /** Name of the context; `in-cluster` in a pod. */
  readonly context: string;
  /** Address of the API server, without user information and query. */
  readonly server: string;
  /**
   * Reads anew where credentials come from: files, commands.
   *
   * @throws ClusterError `invalid` when they cannot be used.
   */
  load(): Promise<CredentialSource>;
}
