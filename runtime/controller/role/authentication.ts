import {
  jwt,
  type ServiceTrust,
  trustedProxy,
  unsecure,
} from "../../process/auth/authenticators.ts";
import type { Authenticator } from "../../process/auth/identity.ts";
import { fileKeys, remoteKeys } from "../../process/auth/key-source.ts";
import { peers } from "../../process/auth/peers.ts";
import { TokenVerifier } from "../../process/auth/token-verifier.ts";
import type { Clock } from "../../process/clock.ts";
import type { ControllerSettings } from "./settings.ts";

/** How callers of the controller are known. @throws InvalidRangeError for a trusted peer that is none. */
export function controllerAuthenticator(
  { auth, trustedPeers }: Pick<ControllerSettings, "auth" | "trustedPeers">,
  trust: ServiceTrust,
  clock: Clock,
): Authenticator {
  switch (auth.mode) {
    case "trusted-proxy":
      return trustedProxy({ ...trust, peers: peers(trustedPeers) });
    case "jwt": {
      const { keys: where, issuer, audience, userClaim, groupsClaim } = auth;
      const keys = typeof where === "string" ? fileKeys(where, clock) : remoteKeys(where);
      const tokens = new TokenVerifier({ keys, issuer, audience, clock });
      return jwt({ ...trust, tokens, issuer, userClaim, groupsClaim });
    }
    case "unsecure":
      trust.log.warn("users are not verified: AUTH_MODE is unsecure", { from: auth.from });
      return unsecure({ defaultUser: auth.user, from: auth.from });
  }
}
