import type { Ports } from "./ports.ts";

/** How a local run is started (decisions 29). */
export interface LocalOptions {
  /** Holds the database, the Git repository and the run file. */
  readonly dataDirectory: string;
  /** Module that exports `definitions(settings)`; a file URL. */
  readonly definitionsUrl: string;
  /** Model of Ollama to use whatever the definitions name. */
  readonly model?: string;
  /** Context of the kubeconfig; with neither this nor `kubeconfig` the demo cluster is used. */
  readonly context?: string;
  /** Path of a kubeconfig, as `KUBECONFIG` says. */
  readonly kubeconfig?: string;
  /** Where to listen; 0 takes a free port. */
  readonly ports: Ports;
  /** Interface to listen on; loopback. */
  readonly host: string;
  /** Base URL of Ollama; its usual address when absent. */
  readonly ollamaHost?: string;
  /** Servers that make tools real; labelled demo data where absent. */
  readonly sources: ToolSources;
  /** Folders where the git program is looked for, as PATH holds them. */
  readonly searchPath: string;
  /** User of requests that name none. */
  readonly user: string;
  /** `watched`: the platform stops when the process that started it is gone. */
  readonly parent: "watched" | "independent";
  /** Version of this program. */
  readonly version: string;
}

/** Where observability and cost tools read. */
export interface ToolSources {
  readonly grafanaUrl?: string;
  readonly grafanaToken?: string;
  readonly prometheusUrl?: string;
  readonly lokiUrl?: string;
  readonly opencostUrl?: string;
  /** Hosts that make_http_request may ask; wildcards `*.example.com`. None when absent. */
  readonly httpHosts?: readonly string[];
}

/** Told of every part that starts. */
export type Progress = (part: string, detail: string) => void;
