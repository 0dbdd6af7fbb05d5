import type { IncomingMessage } from "node:http";

/** A workload that proved itself by its ServiceAccount token. */
export interface ServiceIdentity {
  readonly kind: "service";
  /** `system:serviceaccount:NAMESPACE:ACCOUNT`. */
  readonly name: string;
  readonly namespace: string;
  readonly account: string;
}

/** Somebody on whose behalf a request comes. */
export interface UserIdentity {
  readonly kind: "user";
  readonly name: string;
  readonly groups: readonly string[];
  /** The workload that vouches for the user; absent: the user proved itself, or nobody had to. */
  readonly service?: ServiceIdentity;
}

/** Who calls. `trusted`: what its headers say of parents, sources and approvers may be believed. */
export type Identity = (UserIdentity | ServiceIdentity) & { readonly trusted: boolean };

/** Why a request is not let in; `refused` is for the caller and holds nothing secret. */
export interface Refusal {
  readonly refused: string;
  /** 401: prove who you are; 403: you may not; 503: nobody can say at the moment. */
  readonly status: 401 | 403 | 503;
}

/** What of a request says who sent it. */
export interface AuthRequest {
  /** By name in lower case. */
  header(name: string): string | undefined;
  query(name: string): string | undefined;
  /** Address of the other end of the connection, when there is one. */
  readonly peer: string | undefined;
}

/** Establishes who calls. */
export interface Authenticator {
  /** Never throws but the signal's reason. */
  authenticate(request: AuthRequest, signal: AbortSignal): Promise<Identity | Refusal>;
}

/** Establishes which workload a token belongs to. */
export interface ServiceVerifier {
  /**
   * @returns `undefined` for a token of nobody, of a person, for another audience, or expired.
   * @throws AuthUnavailableError when that cannot be found out now; the signal's reason.
   */
  verify(token: string, signal: AbortSignal): Promise<ServiceIdentity | undefined>;
}

/** Nobody can say now whose a token is: keys or the API server do not answer. A retry helps. */
export class AuthUnavailableError extends Error {
  override readonly name = "AuthUnavailableError";
}

/** Whether a request is let in. */
export function isIdentity(answer: Identity | { readonly refused: string }): answer is Identity {
  return "kind" in answer;
}

/** Groups of an identity; those of a service are the ones Kubernetes gives it. */
export function groupsOf(identity: UserIdentity | ServiceIdentity): readonly string[] {
  return identity.kind === "user"
    ? identity.groups
    : ["system:serviceaccounts", `system:serviceaccounts:${identity.namespace}`];
}

const SERVICE_NAME =
  /^system:serviceaccount:([a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?):([a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?)$/;

/** The service of that user name, if it is one of a service. */
export function serviceNamed(name: string): ServiceIdentity | undefined {
  const match = SERVICE_NAME.exec(name);
  if (match === null) return undefined;
  const [, namespace = "", account = ""] = match;
  return { kind: "service", name, namespace, account };
}

/** 256 characters: no user or group of an identity provider is longer. */
const MAX_NAME = 256;
/** Groups that are looked at; a token with more would not fit into a header. */
const MAX_GROUPS = 200;

/** A user name as a header or claim gives it; `undefined` for what cannot be one. */
export function userName(name: unknown): string | undefined {
  if (typeof name !== "string") return undefined;
  const trimmed = name.trim();
  // Two headers of one name come joined by a comma: whose request it is must not be open to interpretation.
  const sound = trimmed !== "" && trimmed.length <= MAX_NAME && !/[\p{Cc},]/u.test(trimmed);
  return sound ? trimmed : undefined;
}

/** Groups as a header (comma-separated) or a claim (a list) gives them; what cannot be one is left out. */
export function groupNames(groups: unknown): readonly string[] {
  const list: readonly unknown[] =
    typeof groups === "string" ? groups.split(",") : Array.isArray(groups) ? groups : [];
  return list
    .slice(0, MAX_GROUPS)
    .map(userName)
    .filter((name) => name !== undefined);
}

/** 16 KiB: longer than any token that a header of Node's default limit can carry. */
const MAX_TOKEN = 16_384;

/** The bearer token of a request, if it has one. */
export function bearerToken(request: AuthRequest): string | undefined {
  const value = request.header("authorization") ?? "";
  if (value.length > MAX_TOKEN) return undefined;
  return /^bearer +([\w~+/.=-]+)$/i.exec(value)?.[1];
}

/** A request as Node's server hands it out. */
export function authRequestOf(incoming: IncomingMessage): AuthRequest {
  return {
    header: (name) => {
      const value = incoming.headers[name];
      return Array.isArray(value) ? value.join(", ") : value;
    },
    query: (name) => {
      const at = incoming.url?.indexOf("?") ?? -1;
      return at < 0
        ? undefined
        : (new URLSearchParams(incoming.url?.slice(at)).get(name) ?? undefined);
    },
    peer: incoming.socket.remoteAddress,
  };
}
