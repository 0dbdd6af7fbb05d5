import type { Cluster, ResourceType } from "../../api/cluster.ts";
import { RESOURCES } from "../../api/cluster.ts";
import { ClusterError, type KubeObject } from "../../api/cluster-reader.ts";
import { GROUP, LABELS, PLURALS, VERSION } from "../../api/names.ts";
import type { Clock } from "../../process/clock.ts";
import { isFresh, makeCertificate, type WebhookCertificate } from "./webhook-certificate.ts";

/** Kind of the object that tells the API server whom to ask. */
export const WEBHOOK_CONFIGURATION: ResourceType = {
  group: "admissionregistration.k8s.io",
  version: "v1",
  kind: "ValidatingWebhookConfiguration",
  plural: "validatingwebhookconfigurations",
  namespaced: false,
};

const FIELD_MANAGER = "kagent-webhook";
const NAME = "kagent-admission";
/** Annotation of Secrets that cert-manager keeps: it renews them, nobody else. */
const CERT_MANAGER = "cert-manager.io/certificate-name";
/** Longest wait of the API server. */
const TIMEOUT_SECONDS = 10;

/** Where the webhook is and how it proves itself. */
export interface WebhookOptions {
  /** Namespace of Secret and Service. */
  readonly namespace: string;
  /** Service in front of the controllers. */
  readonly service: { readonly name: string; readonly port: number };
  /** Instead of the Service, for a controller outside the cluster, e.g. `https://10.0.0.1:9443`. */
  readonly url?: string;
  /** Secret that holds the certificate (kubernetes.io/tls with ca.crt). */
  readonly secretName: string;
}

/** Names that the certificate has to hold. */
function certificateNames({ namespace, service, url }: WebhookOptions): readonly string[] {
  if (url !== undefined) return [new URL(url).hostname];
  const { name } = service;
  return [`${name}.${namespace}.svc`, `${name}.${namespace}.svc.cluster.local`];
}

/**
 * The certificate of the webhook: the one in the Secret as long as it is fresh, else a new one, stored.
 *
 * Two controllers that start at once agree: the loser of the write takes what the winner stored.
 *
 * @throws ClusterError; the signal's reason.
 */
export async function webhookCertificate(
  cluster: Cluster,
  options: WebhookOptions,
  clock: Pick<Clock, "now">,
  signal: AbortSignal,
): Promise<WebhookCertificate> {
  const names = certificateNames(options);
  const key = { namespace: options.namespace, name: options.secretName };
  const stored = await cluster.get(RESOURCES.Secret, key, signal);
  const known = stored === undefined ? undefined : fromSecret(stored);
  const isForeign = stored?.metadata.annotations?.[CERT_MANAGER] !== undefined;
  if (known !== undefined && (isForeign || isFresh(known.certificate, names, clock.now())))
    return known;
  const made = await makeCertificate(names, clock.now());
  const secret = secretOf(key, made);
  try {
    if (stored === undefined) await cluster.create(RESOURCES.Secret, secret, signal);
    else
      await cluster.update(
        RESOURCES.Secret,
        { ...secret, metadata: { ...stored.metadata, ...secret.metadata } },
        signal,
      );
    return made;
  } catch (error) {
    if (!(error instanceof ClusterError) || !["exists", "conflict"].includes(error.code))
      throw error;
    return await webhookCertificate(cluster, options, clock, signal);
  }
}

/** Tells the API server whom to ask and whose certificate to trust. */
export async function registerWebhook(
  cluster: Cluster,
  options: WebhookOptions,
  authority: string,
  signal: AbortSignal,
): Promise<void> {
  const object = webhookConfiguration(options, authority);
  await cluster.apply(WEBHOOK_CONFIGURATION, object, { fieldManager: FIELD_MANAGER }, signal);
}

/** The configuration: every kind of ours, created or changed, refused when nobody answers (decisions 21). */
function webhookConfiguration(options: WebhookOptions, authority: string): KubeObject {
  const { url, service, namespace } = options;
  const path = "/validate";
  return {
    apiVersion: "admissionregistration.k8s.io/v1",
    kind: "ValidatingWebhookConfiguration",
    metadata: { name: NAME, labels: { [LABELS.app]: "kagent", [LABELS.managedBy]: "kagent" } },
    webhooks: [
      {
        name: `validate.${GROUP}`,
        clientConfig: {
          caBundle: Buffer.from(authority).toString("base64"),
          ...(url === undefined
            ? { service: { ...service, namespace, path } }
            : { url: `${url}${path}` }),
        },
        rules: [
          {
            apiGroups: [GROUP],
            apiVersions: [VERSION],
            operations: ["CREATE", "UPDATE"],
            resources: Object.values(PLURALS),
            scope: "Namespaced",
          },
        ],
        failurePolicy: "Fail",
        matchPolicy: "Equivalent",
        sideEffects: "None",
        timeoutSeconds: TIMEOUT_SECONDS,
        admissionReviewVersions: ["v1"],
      },
    ],
  };
}

function secretOf(
  { namespace, name }: { readonly namespace: string; readonly name: string },
  { authority, certificate, key }: WebhookCertificate,
): KubeObject {
  const encoded = (text: string) => Buffer.from(text).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace, name, labels: { [LABELS.app]: "kagent", [LABELS.managedBy]: "kagent" } },
    type: "kubernetes.io/tls",
    data: {
      "ca.crt": encoded(authority),
      "tls.crt": encoded(certificate),
      "tls.key": encoded(key),
    },
  };
}

function fromSecret(secret: KubeObject): WebhookCertificate | undefined {
  const data = (secret["data"] ?? {}) as Readonly<Record<string, string | undefined>>;
  const text = (name: string) => {
    const value = data[name];
    return value === undefined ? undefined : Buffer.from(value, "base64").toString("utf8");
  };
  const [authority, certificate, key] = [text("ca.crt"), text("tls.crt"), text("tls.key")];
  if (authority === undefined || certificate === undefined || key === undefined) return undefined;
  return { authority, certificate, key };
}
