import * as z from "zod";
import { check, sentence } from "../api/checked.ts";
import type { LocalOptions } from "./options.ts";

const HttpUrl = z.url({ protocol: /^https?$/, error: "must be an http or https URL" });

/** What a local run reads from its environment; the README lists it. */
const Environment = z.object({
  /** Set by npm for what it runs. */
  npm_lifecycle_event: z.string().optional(),
  PATH: z.string().default(""),
  KUBECONFIG: z.string().min(1).optional(),
  OLLAMA_HOST: z.string().min(1).optional(),
  GRAFANA_URL: HttpUrl.optional(),
  GRAFANA_SERVICE_ACCOUNT_TOKEN: z.string().min(1).optional(),
  PROMETHEUS_URL: HttpUrl.optional(),
  LOKI_URL: HttpUrl.optional(),
  OPENCOST_URL: HttpUrl.optional(),
  /** Hosts and wildcards, comma-separated. */
  KAGENT_HTTP_ALLOWED_HOSTS: z.string().optional(),
});

/**
 * The options of a local run that its environment gives.
 *
 * @throws Error naming every variable that is wrong.
 */
export function localEnvironment(
  variables: Readonly<Record<string, string | undefined>>,
): Pick<LocalOptions, "kubeconfig" | "ollamaHost" | "parent" | "searchPath" | "sources"> {
  const checked = check(Environment, variables, "");
  if (!checked.ok) throw new Error(`the environment is wrong: ${sentence(checked.violations)}`);
  const env = checked.value;
  return {
    ...present({ kubeconfig: env.KUBECONFIG, ollamaHost: env.OLLAMA_HOST }),
    parent: env.npm_lifecycle_event === undefined ? "independent" : "watched",
    searchPath: env.PATH,
    sources: {
      ...present({
        grafanaUrl: env.GRAFANA_URL,
        grafanaToken: env.GRAFANA_SERVICE_ACCOUNT_TOKEN,
        prometheusUrl: env.PROMETHEUS_URL,
        lokiUrl: env.LOKI_URL,
        opencostUrl: env.OPENCOST_URL,
      }),
      httpHosts: list(env.KAGENT_HTTP_ALLOWED_HOSTS),
    },
  };
}

function list(text = ""): readonly string[] {
  return text.split(",").flatMap((item) => (item.trim() === "" ? [] : [item.trim()]));
}

/** `values` without the undefined ones. */
function present<K extends string>(
  values: Readonly<Record<K, string | undefined>>,
): { readonly [P in K]?: string } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    readonly [P in K]?: string;
  };
}
