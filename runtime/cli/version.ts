import * as z from "zod";
import { connect, readApi } from "./connection.ts";
import { EXIT, print } from "./output.ts";
import { readVersion } from "./package-version.ts";

const Options = z.object({ json: z.boolean(), kagentUrl: z.string().optional() });
const Server = z.object({ kagent_version: z.string() });

/** `kagent version`. @returns The exit code; a platform that is away is told, not a failure. */
export async function version(input: unknown): Promise<number> {
  const options = Options.parse(input);
  const client = readVersion();
  const connection = connect(options.kagentUrl);
  const server = await readApi(connection, "/version").then(
    (body) => Server.parse(body).kagent_version,
    () => null,
  );
  if (options.json) await print(`${JSON.stringify({ client, server })}\n`);
  else await print(`client ${client}\nserver ${server ?? `none at ${connection.url}`}\n`);
  return EXIT.ok;
}
