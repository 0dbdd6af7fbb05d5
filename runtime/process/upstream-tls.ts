import { rootCertificates } from "node:tls";
import type { TlsSettings } from "../api/agent-config.ts";

/**
 * What Node's TLS is told about an upstream; nothing where the settings are absent.
 *
 * Node's own authorities count unless the settings exclude them: giving `ca` replaces them.
 */
export function upstreamTls(tls: TlsSettings | undefined): {
  readonly rejectUnauthorized?: boolean;
  readonly ca?: string[];
} {
  if (tls === undefined) return {};
  const { verify, caPem, systemCas } = tls;
  const own = caPem === undefined ? [] : [caPem];
  return { rejectUnauthorized: verify, ca: systemCas ? [...rootCertificates, ...own] : own };
}
