import { Command, CommanderError, Option } from "commander";
import { EXIT, fail, outliveReaders } from "./output.ts";

const URL_OPTION = new Option(
  "--kagent-url <url>",
  "base URL of the HTTP API; else the local run",
).env("KAGENT_URL");
const NAMESPACE = new Option("-n, --namespace <namespace>", "namespace of the agent").default(
  "kagent",
);

/** The command line of the platform; each command is loaded when it is called. */
function program(): Command {
  const kagent = new Command("kagent")
    .description("Talks to the agents of a platform.")
    .showHelpAfterError("(kagent --help lists the commands)")
    .exitOverride();
  kagent
    .command("invoke")
    .description("asks an agent and prints its answer")
    .requiredOption("-a, --agent <agent>", "agent, as name or namespace/name")
    .requiredOption("-t, --task <text>", "what to ask; - reads standard input")
    .option("-s, --session <id>", "continues a session (context id)")
    .option("-S, --stream", "prints while the answer is made", false)
    .option("--json", "prints JSON; with --stream one object a line", false)
    .option("--timeout <seconds>", "gives up after this long", "600")
    .addOption(NAMESPACE)
    .addOption(URL_OPTION)
    .action(async (options: unknown) => {
      const { invoke } = await import("./invoke.ts");
      process.exitCode = await invoke(options);
    });
  kagent
    .command("get")
    .description("lists agents, models, toolservers, tools, sessions or approvals")
    .argument("<kind>", "agents | models | toolservers | tools | sessions | approvals")
    .argument("[name]", "one object, as name or namespace/name; the task of approvals")
    .option("--json", "prints JSON", false)
    .addOption(NAMESPACE)
    .addOption(URL_OPTION)
    .action(async (kind: string, name: string | undefined, options: unknown) => {
      const { get } = await import("./get.ts");
      process.exitCode = await get(kind, name, options);
    });
  addDecisions(kagent);
  kagent
    .command("lint")
    .description("checks manifests of agents, models and tool servers by every rule")
    .argument("<file...>", "YAML or JSON files; - reads standard input")
    .option("--json", "prints JSON", false)
    .action(async (files: readonly string[], options: unknown) => {
      const { lint } = await import("./lint.ts");
      process.exitCode = await lint(files, options);
    });
  kagent
    .command("version")
    .description("prints the versions of the command and of the platform")
    .option("--json", "prints JSON", false)
    .addOption(URL_OPTION)
    .action(async (options: unknown) => {
      const { version } = await import("./version.ts");
      process.exitCode = await version(options);
    });
  addDoctor(kagent);
  return kagent;
}

function addDoctor(kagent: Command): void {
  kagent
    .command("doctor")
    .description("says what is reachable (platform, model, tools) and what to do about the rest")
    .option("--json", "prints JSON", false)
    .addOption(URL_OPTION)
    .action(async (options: unknown) => {
      const { doctor } = await import("./doctor.ts");
      process.exitCode = await doctor(options);
    });
}

/** Commands about tasks that wait or run. */
function addDecisions(kagent: Command): void {
  for (const verb of ["approve", "reject"] as const) {
    const command = kagent
      .command(verb)
      .description(
        verb === "approve"
          ? "lets the calls of a waiting task run, or answers its question"
          : "refuses the calls of a waiting task; its agent goes on without them",
      )
      .argument("[task]", "task, as 'kagent get approvals' lists it")
      .option("--all", "every task that waits for you", false)
      .option("--json", "prints JSON", false)
      .option("--timeout <seconds>", "gives up waiting for the end of the turn", "600")
      .addOption(URL_OPTION)
      .action(async (task: string | undefined, options: unknown) => {
        const { decide } = await import("./decide.ts");
        process.exitCode = await decide(verb, task, options);
      });
    if (verb === "reject") command.option("--reason <text>", "what the agent is told");
    else
      command
        .option("--edit <call=json>", "runs a call with these arguments instead", collect, [])
        .option("--answer <text>", "answers a question; once for each", collect, []);
  }
  kagent
    .command("cancel")
    .description("ends a task with everything at work for it")
    .argument("[task]", "task")
    .option("--all", "every task of yours that is not over", false)
    .option("--json", "prints JSON", false)
    .addOption(URL_OPTION)
    .action(async (task: string | undefined, options: unknown) => {
      const { cancel } = await import("./cancel.ts");
      process.exitCode = await cancel(task, options);
    });
}

function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}

outliveReaders();
try {
  await program().parseAsync(process.argv);
} catch (error) {
  if (!(error instanceof CommanderError)) process.exitCode = fail(error);
  else if (error.exitCode !== 0) process.exitCode = EXIT.usage; // commander has said what is wrong
}
