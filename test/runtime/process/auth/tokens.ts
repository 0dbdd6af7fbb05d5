import { exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from "jose";
import type { AuthRequest } from "../../../../runtime/process/auth/identity.ts";

/** Signs tokens as an issuer does. */
export class TestIssuer {
  readonly issuer: string;
  readonly #kid: string;
  readonly #keys: Awaited<ReturnType<typeof generateKeyPair>>;
  readonly #now: () => number;

  private constructor(
    issuer: string,
    kid: string,
    keys: Awaited<ReturnType<typeof generateKeyPair>>,
    now: () => number,
  ) {
    this.issuer = issuer;
    this.#kid = kid;
    this.#keys = keys;
    this.#now = now;
  }

  static async create(
    now: () => number,
    kid = "k1",
    issuer = "https://id.example",
  ): Promise<TestIssuer> {
    return new TestIssuer(issuer, kid, await generateKeyPair("ES256", { extractable: true }), now);
  }

  async keySet(): Promise<JSONWebKeySet> {
    const jwk = await exportJWK(this.#keys.publicKey);
    return { keys: [{ ...jwk, kid: this.#kid, alg: "ES256", use: "sig" }] };
  }

  /** A token for an hour; `claims` win over what it has otherwise. */
  async token(claims: Record<string, unknown> = {}): Promise<string> {
    const now = Math.floor(this.#now() / 1_000);
    const all = {
      iss: this.issuer,
      aud: "kagent",
      sub: "ana",
      iat: now,
      exp: now + 3_600,
      ...claims,
    };
    return await new SignJWT(all)
      .setProtectedHeader({ alg: "ES256", kid: this.#kid })
      .sign(this.#keys.privateKey);
  }
}

/** A request with these headers; a path with a query, a peer. */
export function request(
  headers: Readonly<Record<string, string>> = {},
  over: { readonly query?: string; readonly peer?: string } = {},
): AuthRequest {
  const query = new URLSearchParams(over.query);
  return {
    header: (name) => headers[name],
    query: (name) => query.get(name) ?? undefined,
    peer: over.peer ?? "10.0.0.1",
  };
}
