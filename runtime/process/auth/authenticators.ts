import { decodeJwt } from "jose";
import { HEADERS } from "../../api/names.ts";
import type { Logger } from "../../telemetry/log.ts";
import {
  type Authenticator,
  type AuthRequest,
  AuthUnavailableError,
  bearerToken,
  groupNames,
  type Identity,
  type Refusal,
  type ServiceIdentity,
  userName,
} from "./identity.ts";
import { LOOPBACK_PEERS, type Peers } from "./peers.ts";
import type { TokenPrincipal } from "./service-verifier.ts";
import type { TokenVerifier } from "./token-verifier.ts";

/** Whose a token is: of a service, or of a person that the cluster knows. */
interface PrincipalSource {
  /** @throws AuthUnavailableError; the signal's reason. */
  principal(token: string, signal: AbortSignal): Promise<TokenPrincipal | undefined>;
}

/** What services are and which of them may speak for users. */
export interface ServiceTrust {
  readonly services: PrincipalSource;
  /** Whether it may speak for users. */
  readonly trusts: (service: ServiceIdentity) => boolean;
  /**
   * Whether what else it says may be believed: whose turn a request is part of, who decided. A proxy that passes on what
   * browsers send is not to be believed there. As `trusts` unless set.
   */
  readonly believes?: (service: ServiceIdentity) => boolean;
  readonly log: Logger;
}

/** Identity by signed tokens (`AUTH_MODE=jwt`). */
export interface JwtOptions extends ServiceTrust {
  readonly tokens: TokenVerifier;
  /** Issuer of people's tokens: theirs are not shown to the cluster, nor the cluster's to their keys. */
  readonly issuer: string;
  /** Claim that names the user. */
  readonly userClaim: string;
  /** Claim that lists the groups. */
  readonly groupsClaim: string;
}

const ANONYMOUS: Refusal = {
  refused: "who are you? Send a bearer token, or come through the platform's own proxy",
  status: 401,
};
const BAD_TOKEN: Refusal = {
  refused:
    "the bearer token is not valid here: expired, for another audience, or not signed by a known key",
  status: 401,
};
const UNAVAILABLE: Refusal = {
  refused: "tokens cannot be verified at the moment; try again",
  status: 503,
};
const BAD_USER: Refusal = {
  refused: `${HEADERS.userId} must hold one user name of at most 256 printable characters`,
  status: 401,
};

/**
 * `trusted-proxy`: users are whom a proxy in front says they are (`X-User-Id`, `X-User-Groups`), over a hop proven by a
 * trusted service's token or by a configured address (decisions 23). Tokens of services and of the cluster's own users
 * stand for themselves.
 */
export function trustedProxy(options: ServiceTrust & { readonly peers: Peers }): Authenticator {
  return {
    async authenticate(request, signal) {
      const token = bearerToken(request);
      if (token !== undefined)
        return await guarded(options.log, signal, async () => {
          const principal = await options.services.principal(token, signal);
          return principal === undefined ? BAD_TOKEN : known(principal, request, options);
        });
      return options.peers.has(request.peer) ? (vouchedUser(request) ?? ANONYMOUS) : ANONYMOUS;
    },
  };
}

/** `jwt`: users prove themselves by a token of the configured issuer; services as in {@link trustedProxy}. */
export function jwt(options: JwtOptions): Authenticator {
  const { tokens, issuer, userClaim, groupsClaim, services, log } = options;
  return {
    async authenticate(request, signal) {
      const token = bearerToken(request);
      if (token === undefined) return ANONYMOUS;
      return await guarded(log, signal, async () => {
        if (issuerOf(token) !== issuer) {
          const principal = await services.principal(token, signal);
          return principal === undefined ? BAD_TOKEN : known(principal, request, options);
        }
        const claims = await tokens.verify(token, signal);
        const name = userName(claims?.[userClaim]);
        if (claims === undefined || name === undefined) return BAD_TOKEN;
        const groups = groupNames(claims[groupsClaim]);
        return { kind: "user", name, groups, trusted: false };
      });
    },
  };
}

/**
 * `unsecure`: users are who they say they are (`?user_id=`, `X-User-Id`, else `defaultUser`), for loopback alone unless
 * a flag says otherwise (decisions 23).
 */
export function unsecure(options: {
  readonly defaultUser: string;
  readonly from: "loopback" | "anywhere";
}): Authenticator {
  return {
    authenticate(request) {
      if (options.from === "loopback" && !LOOPBACK_PEERS.has(request.peer))
        return Promise.resolve({
          refused: "AUTH_MODE unsecure serves this machine alone; choose trusted-proxy or jwt",
          status: 403,
        });
      const claimed =
        request.query("user_id") ?? request.header(HEADERS.userId) ?? options.defaultUser;
      const name = userName(claimed);
      if (name === undefined) return Promise.resolve(BAD_USER);
      const groups = groupNames(request.header(HEADERS.userGroups));
      return Promise.resolve({ kind: "user", name, groups, trusted: true });
    },
  };
}

/** The caller behind a good token: itself, or the user that a trusted service speaks for. */
function known(
  principal: TokenPrincipal,
  request: AuthRequest,
  { trusts, believes = trusts }: ServiceTrust,
): Identity | Refusal {
  if (principal.kind === "user") return { ...principal, trusted: false };
  const trusted = believes(principal);
  if (request.header(HEADERS.userId) === undefined) return { ...principal, trusted };
  if (!trusts(principal))
    return { refused: `${principal.name} may not speak for users`, status: 403 };
  const user = vouchedUser(request);
  return user === undefined || !("kind" in user)
    ? BAD_USER
    : { ...user, service: principal, trusted };
}

/** The user that a trusted hop names. */
function vouchedUser(request: AuthRequest) {
  const header = request.header(HEADERS.userId);
  if (header === undefined) return undefined;
  const name = userName(header);
  if (name === undefined) return BAD_USER;
  const groups = groupNames(request.header(HEADERS.userGroups));
  return { kind: "user", name, groups, trusted: false } as const;
}

async function guarded(
  log: Logger,
  signal: AbortSignal,
  work: () => Promise<Identity | Refusal>,
): Promise<Identity | Refusal> {
  try {
    return await work();
  } catch (error) {
    signal.throwIfAborted();
    const reason = error instanceof AuthUnavailableError ? error.cause : error;
    log.error("a token could not be verified", { error: String(reason) });
    return UNAVAILABLE;
  }
}

/** Who issued a token, as it says itself. */
function issuerOf(token: string): string | undefined {
  try {
    return decodeJwt(token).iss;
  } catch {
    return undefined; // not every token is a JWT
  }
}
