import { createHash } from "node:crypto";
import type { AgentConfig } from "../../api/agent-config.ts";
import { pooledFiles } from "../../api/agent-files/names.ts";
import { type AgentFiles, readAgentFiles } from "../../api/agent-files.ts";
import { sentence } from "../../api/checked.ts";
import { type ObjectRef, refKey } from "../../api/names.ts";
import type { Logger } from "../../telemetry/log.ts";
import { ConfigFolderError, readConfigFolder } from "./config-folder.ts";

/** How things stand with one agent. */
interface AgentReport {
  /** `namespace/name`. */
  readonly agent: string;
  /** Hash of the configuration that is in use; absent: none ever was sound. */
  readonly hash?: string;
  /** Why its files are not in use. */
  readonly problem?: string;
}

/** How things stand with all of them. */
export interface AgentSetReport {
  readonly agents: readonly AgentReport[];
  /** Folders that cannot be read, with the reason. */
  readonly folders: readonly { readonly folder: string; readonly problem: string }[];
}

/** An agent in a folder. */
interface Entry {
  readonly ref: ObjectRef;
  /** Of the files that were read last. */
  readonly digest: string;
  readonly config?: AgentConfig;
  readonly problem?: string;
}

interface Folder {
  readonly path: string;
  revision?: string;
  problem?: string | undefined;
  entries: ReadonlyMap<string, Entry>;
}

/** What an {@link AgentSet} reads. */
export interface AgentSetOptions {
  readonly folders: readonly string[];
  readonly namespace: string;
  /** The one agent of a dedicated worker; absent: every agent that a folder has files of. */
  readonly name?: string;
  readonly log: Logger;
}

/**
 * The agents of a worker as their files say, swapped agent by agent when the files change.
 *
 * Files that are not sound change nothing: the configuration before them stays, the log and {@link report} say why.
 */
export class AgentSet {
  readonly #options: AgentSetOptions;
  readonly #folders: readonly Folder[];

  constructor(options: AgentSetOptions) {
    this.#options = options;
    this.#folders = options.folders.map((path) => ({ path, entries: new Map() }));
  }

  /** The agent of a dedicated worker. */
  get root(): ObjectRef | undefined {
    const { namespace, name } = this.#options;
    return name === undefined ? undefined : { namespace, name };
  }

  /** The configuration in use; it never changes, another one takes its place. */
  config(ref: ObjectRef): AgentConfig | undefined {
    const key = refKey(ref);
    for (const { entries } of this.#folders) {
      const config = entries.get(key)?.config;
      if (config !== undefined) return config;
    }
    return undefined;
  }

  report(): AgentSetReport {
    return {
      agents: this.#folders.flatMap(({ entries }) =>
        [...entries.values()].map(({ ref, config, problem }) => ({
          agent: refKey(ref),
          ...(config === undefined ? {} : { hash: config.hash }),
          ...(problem === undefined ? {} : { problem }),
        })),
      ),
      folders: this.#folders.flatMap(({ path, problem }) =>
        problem === undefined ? [] : [{ folder: path, problem }],
      ),
    };
  }

  /** Reads every folder that has changed, or the one of this path. Never rejects. */
  async load(path?: string): Promise<void> {
    const chosen = this.#folders.filter((folder) => path === undefined || folder.path === path);
    await Promise.all(chosen.map((folder) => this.#load(folder)));
  }

  async #load(folder: Folder): Promise<void> {
    try {
      const content = await readConfigFolder(folder.path, folder.revision);
      folder.problem = undefined;
      if (content === undefined) return;
      folder.revision = content.revision;
      this.#apply(folder, content.files);
    } catch (error) {
      const problem = error instanceof ConfigFolderError ? error.message : String(error);
      if (folder.problem !== problem)
        this.#options.log.error("folder cannot be read; what it said stays", { error: problem });
      folder.problem = problem;
    }
  }

  #apply(folder: Folder, files: AgentFiles): void {
    const { namespace, log } = this.#options;
    const { root } = this;
    const found = root === undefined ? pooledFiles(files, namespace) : [{ ref: root, files }];
    const entries = new Map<string, Entry>();
    for (const { ref, files: own } of found) {
      const key = refKey(ref);
      entries.set(key, this.#entry(ref, own, folder.entries.get(key)));
    }
    for (const key of folder.entries.keys())
      if (!entries.has(key)) log.info("agent removed", { agent: key });
    folder.entries = entries;
  }

  #entry(ref: ObjectRef, files: AgentFiles, before: Entry | undefined): Entry {
    const digest = digestOf(files);
    if (before?.digest === digest) return before;
    const { log } = this.#options;
    const agent = refKey(ref);
    const read = readAgentFiles(files, ref);
    if (read.ok) {
      if (read.value.hash !== before?.config?.hash)
        log.info("configuration loaded", { agent, hash: read.value.hash });
      return { ref, digest, config: read.value };
    }
    const problem = sentence(read.violations);
    const inUse = before?.config;
    log.error("configuration is not sound; the one before stays", { agent, problem });
    return { ref, digest, problem, ...(inUse === undefined ? {} : { config: inUse }) };
  }
}

function digestOf(files: AgentFiles): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(files).sort())
    hash.update(`${name}\0${files[name]?.length ?? 0}\0`).update(files[name] ?? "");
  return hash.digest("base64");
}
