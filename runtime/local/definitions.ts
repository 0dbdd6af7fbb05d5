import * as z from "zod";

/** What definitions are told about the run (decisions 12). */
export interface DefinitionSettings {
  /** Clusters the agents look after, the home cluster first. */
  readonly clusters: readonly { readonly name: string }[];
  readonly namespace: string;
  /** Base URL of the MCP gateway. */
  readonly gatewayUrl: string;
}

const Module = z.object({
  definitions: z.custom<(settings: DefinitionSettings) => unknown>(
    (value) => typeof value === "function",
    "must be a function",
  ),
});

/**
 * The objects that a module of definitions makes.
 *
 * @param url - File URL of a module that exports `definitions(settings)`.
 * @throws Error naming the module when it cannot be loaded or makes no list.
 */
export async function loadDefinitions(
  url: string,
  settings: DefinitionSettings,
): Promise<readonly unknown[]> {
  try {
    const { definitions } = Module.parse(await import(url));
    return z.array(z.unknown()).parse(definitions(settings));
  } catch (error) {
    throw new Error(`failed to load the definitions of ${url}: ${reason(error)}`, { cause: error });
  }
}

function reason(error: unknown): string {
  if (error instanceof z.ZodError) return error.issues.map(({ message }) => message).join("; ");
  return error instanceof Error ? error.message : String(error);
}
