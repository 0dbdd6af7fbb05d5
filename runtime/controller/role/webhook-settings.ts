import * as z from "zod";
import type { WebhookOptions } from "../admission/webhook-setup.ts";

/** What the environment says of the admission webhook, beside its address. */
export const webhookEnvironment = {
  KAGENT_WEBHOOK_URL: z
    .url({ protocol: /^https$/, error: "must be an https URL" })
    .transform((url) => url.replace(/\/+$/, ""))
    .optional(),
  KAGENT_WEBHOOK_SECRET: z.string().min(1).default("kagent-webhook-certificate"),
};
type Environment = z.output<z.ZodObject<typeof webhookEnvironment>>;

/** The webhook behind the controllers' Service, or at a URL where they run outside the cluster. */
export function webhookOptions(
  env: Environment,
  controller: { readonly namespace: string; readonly name: string; readonly port: number },
): WebhookOptions {
  const { namespace, name, port } = controller;
  const { KAGENT_WEBHOOK_URL: url, KAGENT_WEBHOOK_SECRET: secretName } = env;
  const service = { name, port };
  return { namespace, service, secretName, ...(url === undefined ? {} : { url }) };
}
