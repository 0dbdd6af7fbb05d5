import { randomBytes } from "node:crypto";

/** A secret of a test: nothing else in the world has its core. */
export interface Canary {
  readonly name: string;
  /** As it is planted. */
  readonly value: string;
  /** Texts by which it is found: its core as it is, in hex, and in base64 wherever it begins. */
  readonly needles: readonly string[];
}

/** A place where a secret was found. */
export interface Leak {
  readonly canary: string;
  readonly where: string;
  /** What stands around it. */
  readonly text: string;
}

/** Secrets that are planted, and the search for them. */
export class Canaries {
  readonly #all: Canary[] = [];

  /** @param write - The secret as its users write it, around a core of 32 hex digits. */
  plant(name: string, write: (core: string) => string = (core) => `cnry/+${core}`): Canary {
    const core = `a1${randomBytes(15).toString("hex")}`;
    return this.known(name, write(core), core);
  }

  /** A secret that somebody else made; `core` is the part of it that tells it from all others. */
  known(name: string, value: string, core = value): Canary {
    const needles = [core, Buffer.from(core).toString("hex"), ...[0, 1, 2].map(base64Of(core))];
    const canary = { name, value, needles };
    this.#all.push(canary);
    return canary;
  }

  /** Every secret in a text, or in bytes. */
  find(where: string, content: string | Buffer): readonly Leak[] {
    const text = typeof content === "string" ? content : content.toString("latin1");
    return this.#all.flatMap(({ name, needles }) =>
      needles.flatMap((needle) => {
        const at = text.indexOf(needle);
        const around = text.slice(Math.max(0, at - 120), at + 60);
        return at < 0 ? [] : [{ canary: name, where, text: around }];
      }),
    );
  }
}

/** What of the base64 of a text is the same whatever follows, after so many other bytes (modulo 3). */
function base64Of(core: string): (before: number) => string {
  return (before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(core)]);
    const first = Math.ceil((before * 8) / 6);
    return bytes.toString("base64url").slice(first, Math.floor((bytes.length * 8) / 6));
  };
}
