import * as z from "zod";
import { ApiTransport } from "./api-transport.ts";
import type { ChosenCluster } from "./credentials.ts";

/** Where API servers publish them; readable by the ClusterRole `system:service-account-issuer-discovery`. */
const PATH = "/openid/v1/jwks";

const KeySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(1_000) });

/**
 * Public keys by which ServiceAccount tokens of a cluster are verified, a JSON Web Key Set.
 *
 * @throws ClusterError; the signal's reason on abort.
 * @see https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/#service-account-issuer-discovery
 */
export async function issuerKeys(cluster: ChosenCluster, signal: AbortSignal): Promise<object> {
  const transport = new ApiTransport(cluster);
  try {
    const text = await transport.send({ path: PATH, accept: "application/jwk-set+json" }, signal);
    return KeySet.parse(JSON.parse(text));
  } finally {
    transport.close();
  }
}
