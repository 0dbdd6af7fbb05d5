import { decodeJwt } from "jose";
import type { TokenOwner } from "../../api/cluster.ts";
import type { Clock } from "../clock.ts";
import {
  AuthUnavailableError,
  type ServiceIdentity,
  type ServiceVerifier,
  serviceNamed,
  userName,
} from "./identity.ts";
import type { KeySource } from "./key-source.ts";
import { TokenCache, type TokenVerdict } from "./token-cache.ts";
import { TokenVerifier } from "./token-verifier.ts";

/** Audience of tokens between processes of the platform (kagent-api section 2.1). */
const SERVICE_AUDIENCE = "kagent";

/** Reviewed tokens that are remembered; one that was revoked works for up to 30 s more. */
const CACHE = { max: 5_000, hitMs: 30_000, missMs: 5_000 };
/** 10 s for the API server to look at a token. */
const REVIEW_MS = 10_000;

/**
 * Verifies ServiceAccount tokens by the cluster's public keys: no request leaves the process.
 *
 * For workers, which have no API server (decisions 15). A token of a pod that is gone stays good until it expires.
 */
export function keyedServices(rules: {
  readonly keys: KeySource;
  /** Issuer of the cluster; absent: whoever has its keys. */
  readonly issuer?: string;
  readonly clock: Pick<Clock, "now">;
}): ServiceVerifier {
  const tokens = new TokenVerifier({ ...rules, audience: SERVICE_AUDIENCE });
  return {
    async verify(token, signal) {
      const claims = await tokens.verify(token, signal);
      return claims?.sub === undefined ? undefined : serviceNamed(claims.sub);
    },
  };
}

/** Asks whose a token is, as `Cluster.reviewToken` does. */
type ReviewToken = (
  token: string,
  audience: string,
  signal: AbortSignal,
) => Promise<TokenOwner | undefined>;

/** Whose a reviewed token is. */
export type TokenPrincipal =
  | ServiceIdentity
  | { readonly kind: "user"; readonly name: string; readonly groups: readonly string[] };

/** What a {@link TokenReviewer} needs. */
export interface TokenReviewerOptions {
  readonly review: ReviewToken;
  readonly clock: Pick<Clock, "now">;
  /**
   * Audiences beside `kagent` under which tokens of people are taken, e.g. that of the API server for the tokens of
   * kubeconfigs (decisions 23). Services always need one for `kagent`.
   */
  readonly audiences?: readonly string[];
}

/** Verifies tokens by TokenReview: the API server is asked, and what it says is believed for 30 s. */
export class TokenReviewer implements ServiceVerifier {
  readonly #options: TokenReviewerOptions;
  readonly #cache: TokenCache<TokenPrincipal>;

  constructor(options: TokenReviewerOptions) {
    this.#options = options;
    this.#cache = new TokenCache({ ...CACHE, clock: options.clock });
  }

  async verify(token: string, signal: AbortSignal): Promise<ServiceIdentity | undefined> {
    const principal = await this.principal(token, signal);
    return principal?.kind === "service" ? principal : undefined;
  }

  /**
   * Whose the token is, a service's or a person's.
   *
   * @throws AuthUnavailableError when the API server does not say; the signal's reason.
   */
  async principal(token: string, signal: AbortSignal): Promise<TokenPrincipal | undefined> {
    return await this.#cache.get(token, () => this.#look(token), signal);
  }

  async #look(token: string): Promise<TokenVerdict<TokenPrincipal>> {
    const expiresAt = expiryOf(token);
    for (const audience of [SERVICE_AUDIENCE, ...(this.#options.audiences ?? [])]) {
      const owner = await this.#review(token, audience);
      if (owner === undefined) continue;
      const value = principalOf(owner, audience);
      if (value !== undefined) return { value, ...(expiresAt === undefined ? {} : { expiresAt }) };
    }
    return {};
  }

  async #review(token: string, audience: string): Promise<TokenOwner | undefined> {
    try {
      return await this.#options.review(token, audience, AbortSignal.timeout(REVIEW_MS));
    } catch (error) {
      throw new AuthUnavailableError("failed to review a token", { cause: error });
    }
  }
}

function principalOf(owner: TokenOwner, audience: string): TokenPrincipal | undefined {
  const service = serviceNamed(owner.user);
  // a pod's token for the API server is not meant for us: whoever got hold of one must not be that pod here
  if (service !== undefined) return audience === SERVICE_AUDIENCE ? service : undefined;
  const name = userName(owner.user);
  return name === undefined ? undefined : { kind: "user", name, groups: owner.groups };
}

/** When a token says it ends; `undefined` for tokens that say nothing. */
function expiryOf(token: string): number | undefined {
  try {
    const { exp } = decodeJwt(token);
    return exp === undefined ? undefined : exp * 1_000;
  } catch {
    return undefined; // not every token is a JWT
  }
}
