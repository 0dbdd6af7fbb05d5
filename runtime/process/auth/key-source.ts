import { readFile, stat } from "node:fs/promises";
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTVerifyGetKey,
} from "jose";
import * as z from "zod";
import type { Clock } from "../clock.ts";

/** Finds the key that signed a token; throws jose's errors when there is none. */
export type KeySource = JWTVerifyGetKey;

/** 5 s for the keys of an identity provider. */
const FETCH_MS = 5_000;
/** Keys of a provider are read again after 10 min, and for an unknown key at most every 30 s. */
const MAX_AGE_MS = 600_000;
const COOLDOWN_MS = 30_000;
/** A file is looked at again for an unknown key at most every second: it is cheap, and a rotation waits for it. */
const FILE_COOLDOWN_MS = 1_000;
/** 1 MiB of keys: a set has a handful. */
const MAX_BYTES = 1_048_576;

const KeySet = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(1_000) });

/** Public keys at a URL (JWKS), cached and read again when a token names an unknown one. */
export function remoteKeys(url: URL): KeySource {
  return createRemoteJWKSet(url, {
    timeoutDuration: FETCH_MS,
    cooldownDuration: COOLDOWN_MS,
    cacheMaxAge: MAX_AGE_MS,
  });
}

/**
 * Public keys in a file (JWKS) that somebody may replace, as a mounted Secret is.
 *
 * Read again when it has changed, looked at once a second at most.
 */
export function fileKeys(path: string, clock: Pick<Clock, "monotonic">): KeySource {
  let keys: KeySource | undefined;
  let version = "";
  let lookedAt = Number.NEGATIVE_INFINITY;
  let looking: Promise<void> | undefined;
  const look = async (): Promise<void> => {
    const { mtimeMs, size, ino } = await stat(path);
    const found = `${mtimeMs} ${size} ${ino}`;
    if (found !== version) {
      if (size > MAX_BYTES) throw new errors.JWKSInvalid(`${path} is larger than 1 MiB`);
      keys = localKeys(parseKeySet(await readFile(path, "utf8")));
      version = found;
    }
    lookedAt = clock.monotonic();
  };
  return async (header, token) => {
    if (keys === undefined || clock.monotonic() - lookedAt >= FILE_COOLDOWN_MS) {
      looking ??= look().finally(() => {
        looking = undefined;
      });
      await looking;
    }
    if (keys === undefined) throw new errors.JWKSInvalid(`${path} holds no keys`);
    return await keys(header, token);
  };
}

/** Public keys that are at hand. */
export function localKeys(keySet: JSONWebKeySet): KeySource {
  return createLocalJWKSet(keySet);
}

/** @throws jose's JWKSInvalid for text that is no set of keys. */
function parseKeySet(text: string): JSONWebKeySet {
  try {
    return KeySet.parse(JSON.parse(text));
  } catch {
    throw new errors.JWKSInvalid("not a JSON Web Key Set");
  }
}
