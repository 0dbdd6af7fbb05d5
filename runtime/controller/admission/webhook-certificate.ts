import { webcrypto } from "node:crypto";
import "reflect-metadata"; // x509 needs it and does not load it
import * as x509 from "@peculiar/x509";

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" };
/** A year; renewed a month before its end. */
const VALID_MS = 365 * 86_400_000;
/** A month. */
const RENEW_BEFORE_MS = 30 * 86_400_000;
/** 5 minutes: clocks of API server and controller differ. */
const SKEW_MS = 300_000;

/** A serving certificate with the authority that signed it; all PEM. */
export interface WebhookCertificate {
  readonly authority: string;
  readonly certificate: string;
  readonly key: string;
}

/** Makes an authority for one certificate: its key is thrown away, so that nobody can sign another one. */
export async function makeCertificate(
  names: readonly string[],
  nowMs: number,
): Promise<WebhookCertificate> {
  x509.cryptoProvider.set(webcrypto);
  const authorityKeys = await generateKeys();
  const keys = await generateKeys();
  const dates = { notBefore: new Date(nowMs - SKEW_MS), notAfter: new Date(nowMs + VALID_MS) };
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    name: "CN=kagent admission webhook authority",
    keys: authorityKeys,
    signingAlgorithm: ALGORITHM,
    extensions: [new x509.BasicConstraintsExtension(true, 0, true)],
    ...dates,
  });
  const certificate = await x509.X509CertificateGenerator.create({
    subject: "CN=kagent-controller",
    issuer: authority.subject,
    publicKey: keys.publicKey,
    signingKey: authorityKeys.privateKey,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: /^[\d.]+$|:/.test(value) ? "ip" : "dns", value })),
      ),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
    ],
    ...dates,
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey));
  return {
    authority: authority.toString("pem"),
    certificate: certificate.toString("pem"),
    key: x509.PemConverter.encode(key, "PRIVATE KEY"),
  };
}

/** Whether a certificate is for all of `names` and has a month left; anything unreadable is not. */
export function isFresh(pem: string, names: readonly string[], nowMs: number): boolean {
  try {
    const certificate = new x509.X509Certificate(pem);
    const { notBefore, notAfter } = certificate;
    const extension = certificate.getExtension(x509.SubjectAlternativeNameExtension);
    const known = new Set(extension?.names.items.map(({ value }) => value));
    return (
      notBefore.getTime() <= nowMs &&
      notAfter.getTime() - RENEW_BEFORE_MS > nowMs &&
      names.every((name) => known.has(name))
    );
  } catch {
    return false;
  }
}

async function generateKeys(): Promise<webcrypto.CryptoKeyPair> {
  return await webcrypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}
