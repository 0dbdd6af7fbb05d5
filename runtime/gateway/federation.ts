import type { ToolDescription } from "../api/tool.ts";
import { describeError } from "../mcp/describe-error.ts";
import type {
  CallContext,
  RequestContext,
  ToolProvider,
  ToolResult,
} from "../mcp/tool-provider.ts";
import { ToolServerError } from "../mcp/tool-server-error.ts";
import type { Clock } from "../process/clock.ts";
import { orAbort } from "../process/or-abort.ts";
import type { Logger } from "../telemetry/log.ts";
import { forwardedHeaders } from "./forwarded-headers.ts";
import type { Upstream, UpstreamCallContext, UpstreamContext } from "./upstream.ts";

/** Names of targets: no `_`, which ends the prefix of a tool. */
const TARGET = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
/** 64 characters: LLM providers refuse longer function names. */
const MAX_NAME = 64;
/** 5 s for one target to list its tools; one that is late is missing from the list. */
const LIST_MS = 5_000;

/** A tool server under its name at the gateway. */
export interface FederationTarget {
  /** Prefix of its tools, e.g. `k8s-tools-services-amer`. */
  readonly name: string;
  readonly upstream: Upstream;
  /** Bare names of the tools that may be used; unset: all. */
  readonly allow?: readonly string[];
}

/** How targets are federated. */
export interface FederationOptions {
  readonly log: Logger;
  readonly clock: Clock;
  /** Request headers that are passed on beside identity, lineage and trace. */
  readonly forwardHeaders?: readonly string[];
  /** Longest wait for the list of one target in milliseconds; 5 s unless set. */
  readonly listMs?: number;
}

/** Targets that cannot be federated: a mistake of configuration. */
export class InvalidTargetsError extends Error {
  override readonly name = "InvalidTargetsError";
}

/**
 * Tools of several servers as one list, each named `<target>_<tool>`.
 *
 * The prefix is there with a single target too, so that names do not change when one comes or goes. A
 * target that does not answer is left out of the list; calls of its tools say so.
 *
 * @throws {InvalidTargetsError} A name is no name for a target, or there twice.
 */
export function federate(
  targets: readonly FederationTarget[],
  options: FederationOptions,
): ToolProvider {
  checkTargets(targets);
  const federation = new Federation(targets, options);
  return {
    listTools: (context) => federation.list(context),
    callTool: (name, args, context) => federation.call(name, args, context),
  };
}

class Federation {
  readonly #targets: ReadonlyMap<string, FederationTarget>;
  readonly #options: FederationOptions;
  /** Targets that did not answer last time. */
  readonly #silent = new Set<string>();
  /** Tools whose names are too long, once they have been logged. */
  readonly #tooLong = new Set<string>();

  constructor(targets: readonly FederationTarget[], options: FederationOptions) {
    this.#targets = new Map(targets.map((target) => [target.name, target]));
    this.#options = options;
  }

  async list(context: RequestContext): Promise<readonly ToolDescription[]> {
    const lists = await Promise.all(
      [...this.#targets.values()].map((target) => this.#listTarget(target, context)),
    );
    context.signal.throwIfAborted();
    return lists.flat();
  }

  async call(
    name: string,
    args: Readonly<Record<string, unknown>>,
    context: CallContext,
  ): Promise<ToolResult> {
    const cut = name.indexOf("_");
    const target = this.#targets.get(name.slice(0, Math.max(0, cut)));
    if (target === undefined) {
      const known = [...this.#targets.keys()].map((one) => `${one}_`).join(", ");
      return failed(`unknown tool "${name.slice(0, MAX_NAME)}"; names begin with one of ${known}`);
    }
    const bare = name.slice(cut + 1);
    if (target.allow?.includes(bare) === false)
      return failed(`unknown tool "${name.slice(0, MAX_NAME)}"`);
    try {
      const call: UpstreamCallContext = {
        ...this.#contextOf(context),
        progress: (progress) => {
          context.progress(progress);
        },
      };
      const result = await target.upstream.callTool(bare, args, call, context.signal);
      this.#answers(target.name);
      return result;
    } catch (error) {
      context.signal.throwIfAborted();
      this.#isSilent(target.name, error);
      return failed(`tool server "${target.name}" did not answer: ${reasonOf(error)}`);
    }
  }

  async #listTarget(
    target: FederationTarget,
    context: RequestContext,
  ): Promise<readonly ToolDescription[]> {
    const { clock, listMs = LIST_MS } = this.#options;
    const late = new AbortController();
    const cancel = clock.schedule(listMs, () => {
      late.abort(new Error(`no list of tools within ${listMs} ms`));
    });
    const signal = AbortSignal.any([context.signal, late.signal]);
    try {
      const listing = target.upstream.listTools(this.#contextOf(context), signal);
      const tools = await orAbort(listing, signal);
      this.#answers(target.name);
      return this.#prefixed(target, tools);
    } catch (error) {
      if (!context.signal.aborted) this.#isSilent(target.name, error);
      return [];
    } finally {
      cancel();
    }
  }

  #prefixed(
    { name: prefix, allow }: FederationTarget,
    tools: readonly ToolDescription[],
  ): readonly ToolDescription[] {
    const names = new Set<string>();
    return tools.flatMap((tool) => {
      const name = `${prefix}_${tool.name}`;
      if (names.has(name) || allow?.includes(tool.name) === false) return [];
      names.add(name);
      if (name.length <= MAX_NAME) return [{ ...tool, name }];
      if (!this.#tooLong.has(name)) {
        this.#options.log.warn("tool left out, its name is too long", {
          tool: name,
          limit: MAX_NAME,
        });
        this.#tooLong.add(name);
      }
      return [];
    });
  }

  #contextOf(context: RequestContext | CallContext): UpstreamContext {
    const contextId = "contextId" in context ? context.contextId : undefined;
    return {
      user: context.user,
      ...(contextId === undefined ? {} : { contextId }),
      headers: forwardedHeaders(context.headers, this.#options.forwardHeaders ?? []),
    };
  }

  #isSilent(target: string, error: unknown): void {
    if (this.#silent.has(target)) return;
    this.#silent.add(target);
    this.#options.log.warn("tool server does not answer", { target, error: describeError(error) });
  }

  #answers(target: string): void {
    if (this.#silent.delete(target))
      this.#options.log.info("tool server answers again", { target });
  }
}

function checkTargets(targets: readonly FederationTarget[]): void {
  const names = targets.map(({ name }) => name);
  const bad = names.filter((name) => !TARGET.test(name) || name.length >= MAX_NAME);
  const twice = names.filter((name, index) => names.indexOf(name) !== index);
  if (bad.length === 0 && twice.length === 0) return;
  throw new InvalidTargetsError(
    [
      ...bad.map((name) => `"${name}" is no name of a target: it must match ${TARGET.source}`),
      ...twice.map((name) => `target "${name}" is there twice`),
    ].join("; "),
  );
}

function failed(text: string): ToolResult {
  return { text, isError: true, parts: [{ text }] };
}

function reasonOf(error: unknown): string {
  return error instanceof ToolServerError
    ? error.message
    : "it failed; the log of the gateway says why";
}
