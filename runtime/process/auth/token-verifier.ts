import { errors, type JWTPayload, jwtVerify } from "jose";
import type { Clock } from "../clock.ts";
import { AuthUnavailableError } from "./identity.ts";
import type { KeySource } from "./key-source.ts";
import { TokenCache, type TokenVerdict } from "./token-cache.ts";

/**
 * Signatures that are accepted: those of a private key. `none` and HS256, with which a public key would serve as a
 * shared secret, are not among them.
 */
const ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
/** 30 s between the clocks of two machines. */
const CLOCK_TOLERANCE_S = 30;
/** Verified tokens that are remembered, and for how long. */
const CACHE = { max: 5_000, hitMs: 60_000, missMs: 5_000 };

/** Which tokens are good. */
export interface TokenRules {
  readonly keys: KeySource;
  /** Absent: any; for keys that one issuer alone has. */
  readonly issuer?: string;
  readonly audience: string;
  readonly clock: Pick<Clock, "now">;
}

/** Verifies JSON Web Tokens: signature, issuer, audience, times. */
export class TokenVerifier {
  readonly #rules: TokenRules;
  readonly #cache: TokenCache<JWTPayload>;

  constructor(rules: TokenRules) {
    this.#rules = rules;
    this.#cache = new TokenCache({ ...CACHE, clock: rules.clock });
  }

  /**
   * Claims of a good token, `undefined` for any other.
   *
   * @throws AuthUnavailableError when the keys cannot be read; the signal's reason.
   */
  async verify(token: string, signal: AbortSignal): Promise<JWTPayload | undefined> {
    return await this.#cache.get(token, () => this.#look(token), signal);
  }

  async #look(token: string): Promise<TokenVerdict<JWTPayload>> {
    const { keys, issuer, audience, clock } = this.#rules;
    try {
      const { payload } = await jwtVerify(token, keys, {
        algorithms: ALGORITHMS,
        audience,
        clockTolerance: CLOCK_TOLERANCE_S,
        currentDate: new Date(clock.now()),
        requiredClaims: ["exp", "sub"],
        ...(issuer === undefined ? {} : { issuer }),
      });
      return { value: payload, expiresAt: (payload.exp ?? 0) * 1_000 };
    } catch (error) {
      if (isKeyFault(error)) {
        const message = "failed to read the keys that tokens are verified with";
        throw new AuthUnavailableError(message, { cause: error });
      }
      return {};
    }
  }
}

/** Whether the keys are at fault and not the token. */
function isKeyFault(error: unknown): boolean {
  if (!(error instanceof errors.JOSEError)) return true;
  if (error instanceof errors.JWKSTimeout || error instanceof errors.JWKSInvalid) return true;
  return error.code === "ERR_JOSE_GENERIC";
}
