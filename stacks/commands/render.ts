import * as pulumi from "@pulumi/pulumi";
import { stringify } from "yaml";
import { stackFile } from "./stack-file.ts";

const STACKS = ["dev", "prod"] as const;
const USAGE = `Usage: npm run render -- ${STACKS.join("|")}
Prints every Kubernetes object of a stack as YAML; needs no cluster and no Pulumi engine.
`;

/** A Kubernetes object as the program asks for it. */
type KubernetesObject = Readonly<Record<string, unknown>> & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata?: { readonly name?: string; readonly namespace?: string };
};

/** Kinds that others need first; everything else follows by kind and name. */
const FIRST = ["Namespace", "CustomResourceDefinition"];

/**
 * Every Kubernetes object of a stack, in an order in which they can be applied.
 *
 * The program runs under Pulumi's mocks: what the engine would be asked for is what is returned.
 *
 * @param stack - `dev` or `prod`; its configuration is read from `Pulumi.<stack>.yaml`.
 * @throws pulumi.InputPropertiesError for configuration or definitions that break a rule.
 */
async function renderStack(stack: string): Promise<readonly KubernetesObject[]> {
  const objects: KubernetesObject[] = [];
  pulumi.runtime.setAllConfig(stackConfig(stack));
  await pulumi.runtime.setMocks(
    {
      newResource(args) {
        const type = /^kubernetes:([^:]+):([^:]+)$/.exec(args.type);
        if (type !== null) objects.push(objectOf(type[1] ?? "", type[2] ?? "", args.inputs));
        return { id: args.name, state: args.inputs as Record<string, unknown> };
      },
      call: (args) => args.inputs as Record<string, unknown>,
    },
    "kagent",
    stack,
  );
  await import("../index.ts");
  await pulumi.runtime.disconnect();
  return objects.sort((a, b) => rank(a) - rank(b) || compare(sortKey(a), sortKey(b)));
}

function objectOf(group: string, kind: string, inputs: unknown): KubernetesObject {
  const given = inputs as Record<string, unknown>;
  return { ...given, apiVersion: group.replace(/^core\//, ""), kind };
}

/** The configuration as the engine hands it over: text, what is no text as JSON. */
function stackConfig(stack: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(stackFile(stack)).map(([key, value]) => [
      key,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}

function rank({ kind }: KubernetesObject): number {
  const index = FIRST.indexOf(kind);
  return index < 0 ? FIRST.length : index;
}

function sortKey({ kind, metadata }: KubernetesObject): string {
  return `${kind} ${metadata?.namespace ?? ""} ${metadata?.name ?? ""}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

async function main(args: readonly string[]): Promise<number> {
  const [stack, ...more] = args;
  if (stack === "--help" || stack === "-h") {
    process.stdout.write(USAGE);
    return 0;
  }
  if (stack === undefined || more.length > 0 || !STACKS.some((name) => name === stack)) {
    process.stderr.write(USAGE);
    return 2;
  }
  const objects = await renderStack(stack);
  process.stdout.write(objects.map((object) => `---\n${stringify(object)}`).join(""));
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
