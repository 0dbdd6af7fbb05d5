// A process of postgres.test.ts: starts a Postgres, says where, and waits until it is killed.
import { startPostgres } from "./postgres.ts";

const server = await startPostgres(AbortSignal.timeout(60_000));
const [row] = await server.query("select current_setting('data_directory') as data");
const folder = String(row?.["data"]).replace(/\/data$/, "");
process.stdout.write(`${JSON.stringify({ pid: server.pid, folder })}\n`);
setInterval(() => undefined, 60_000);
