import { after, before } from "mocha";
import { type Postgres, startPostgres } from "./postgres.ts";
import { MissingPostgresError } from "./postgres-install.ts";

/** 6 minutes: a download the first time, then some seconds. */
const START_MS = 360_000;
const STOP_MS = 30_000;

/**
 * Gives the suite around it a Postgres of its own: started before its tests, ended and removed after them.
 *
 * Where it cannot be had, the suite is skipped with the reason on stderr.
 *
 * @returns Gives the server once the tests run.
 */
export function usePostgres(): () => Postgres {
  let server: Postgres | undefined;

  before(async function () {
    this.timeout(START_MS);
    try {
      server = await startPostgres(AbortSignal.timeout(START_MS));
    } catch (error) {
      if (!(error instanceof MissingPostgresError)) throw error;
      process.stderr.write(`cluster: skipped, no Postgres at hand: ${error.message}\n`);
      this.skip();
    }
  });

  after(async function () {
    this.timeout(STOP_MS);
    await server?.stop();
  });

  return () => {
    if (server === undefined) throw new Error("failed to find Postgres: it is not started");
    return server;
  };
}
