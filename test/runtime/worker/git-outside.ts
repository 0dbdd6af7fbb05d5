import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ToolDefinition } from "../../../runtime/api/tool.ts";
import { toolProvider } from "../../../runtime/mcp/tool-definitions.ts";
import { silentLog } from "../../../runtime/telemetry/log.ts";
import { gitTools } from "../../../runtime/toolservers/git/git-tools.ts";
import type { TurnDeps } from "../../../runtime/worker/turn-context.ts";
import { FakeClock } from "../../support/fake-clock.ts";
import type { ScriptedModel } from "../../support/scripted-model.ts";
import { Outside } from "./turn-harness.ts";

const PREFIX = "github_";

/** The laptop's Git tools as a worker reaches them, on a repository of its own. */
export class GitOutside extends Outside {
  readonly directory = mkdtempSync(join(tmpdir(), "git-outside-"));
  readonly #tools: readonly ToolDefinition[] = gitTools({
    directory: this.directory,
    clock: new FakeClock(),
    owner: "demo",
    repo: "platform-gitops",
    cluster: "services-amer",
    searchPath: process.env["PATH"] ?? "",
  });
  /** What happens to a call of a tool that writes instead of its execution. */
  instead: ((name: string) => Promise<never>) | undefined;

  override deps(model: ScriptedModel): TurnDeps {
    const provider = toolProvider(this.#tools, { log: silentLog });
    const contextOf = (signal: AbortSignal) => ({
      user: "ana",
      headers: {},
      signal,
      progress: () => undefined,
    });
    return {
      ...super.deps(model),
      tools: {
        listTools: async (_, __, signal) => {
          const listed = await provider.listTools(contextOf(signal));
          return listed.map((tool) => ({ ...tool, name: `${PREFIX}${tool.name}` }));
        },
        callTool: async (call, signal) => {
          const name = call.name.slice(PREFIX.length);
          const writes =
            this.#tools.find((tool) => tool.name === name)?.hints.readOnlyHint === false;
          if (writes && this.instead !== undefined) await this.instead(name);
          if (writes) this.calls.push(call);
          const { parts, isError } = await provider.callTool(name, call.args, contextOf(signal));
          return { ok: isError !== true, parts };
        },
      },
    };
  }

  /** Text of a tool's answer. */
  async read(name: string, args: Record<string, unknown>): Promise<string> {
    const tool = this.#tools.find((each) => each.name === name);
    const context = { signal: new AbortController().signal, user: "ana" };
    return (await tool?.call(args, context))?.text ?? "";
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}
