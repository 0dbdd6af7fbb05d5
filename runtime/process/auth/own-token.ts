import { readFile } from "node:fs/promises";
import type { Logger } from "../../telemetry/log.ts";
import type { Clock } from "../clock.ts";

/** Where the kubelet puts the token for other processes of the platform (kagent-api section 2.1). */
export const TOKEN_PATH = "/var/run/secrets/tokens/kagent-token";

/** The kubelet renews an hour's token after 48 minutes: a minute later at most the new one is used. */
const FRESH_MS = 60_000;

/** The token by which this process proves itself to others. */
export interface OwnToken {
  /** @returns `undefined` where there is none: on a laptop. */
  value(): Promise<string | undefined>;
}

/** A token in a file that is replaced before it expires, read again every minute. */
export function tokenFile(
  path: string,
  deps: { readonly clock: Pick<Clock, "monotonic">; readonly log: Logger },
): OwnToken {
  let token: string | undefined;
  let readAt = Number.NEGATIVE_INFINITY;
  let reading: Promise<void> | undefined;
  const read = async (): Promise<void> => {
    try {
      token = (await readFile(path, "utf8")).trim();
    } catch (error) {
      // The old one may still be good; without any, whoever is called says what is missing.
      deps.log.warn("own token could not be read", { path, error: String(error) });
    }
  };
  return {
    async value() {
      if (deps.clock.monotonic() - readAt >= FRESH_MS) {
        readAt = deps.clock.monotonic();
        reading = read();
      }
      await reading; // who asks meanwhile waits for it too: there may be no older one
      return token;
    },
  };
}
