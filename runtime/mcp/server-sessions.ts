import { randomUUID } from "node:crypto";
import type { SessionOptions } from "./server-options.ts";
import type { ServerPeer } from "./server-peer.ts";

/** A client's session. */
export interface Session {
  readonly id: string;
  /** Who opened it; nobody else may use it. */
  readonly user: string;
  readonly peer: ServerPeer;
  /** HTTP requests under way, streams included. */
  requests: number;
  /** Monotonic milliseconds of the last use. */
  usedAt: number;
}

/** The sessions of one server: a bounded number, each until it is idle for too long. */
export class SessionTable {
  readonly #options: SessionOptions;
  readonly #max: number;
  readonly #idleMs: number;
  readonly #sessions = new Map<string, Session>();
  #stopSweeping: (() => void) | undefined;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#max = options.max ?? 1_000;
    this.#idleMs = options.idleMs ?? 1_800_000;
    const unsubscribe = options.changes?.((change) => {
      for (const { peer } of this.#sessions.values()) peer.notify(change);
    });
    options.signal.addEventListener(
      "abort",
      () => {
        unsubscribe?.();
        this.#stopSweeping?.();
        for (const session of [...this.#sessions.values()]) this.remove(session.id);
      },
      { once: true },
    );
  }

  /** The session of that id, if it is the user's. */
  get(id: string, user: string): Session | undefined {
    const session = this.#sessions.get(id);
    return session?.user === user ? session : undefined;
  }

  /** Whether there is room for one more, after the session that was idle longest has made it. */
  makeRoom(): boolean {
    if (this.#options.signal.aborted) return false;
    if (this.#sessions.size < this.#max) return true;
    const idle = [...this.#sessions.values()].filter(({ requests }) => requests === 0);
    const oldest = idle.sort((a, b) => a.usedAt - b.usedAt)[0];
    if (oldest === undefined) return false;
    this.remove(oldest.id);
    return true;
  }

  /** A new session id: 122 random bits, which is what proves ownership to servers without identities. */
  readonly newId = (): string => randomUUID();

  add(id: string, user: string, peer: ServerPeer): void {
    this.#sessions.set(id, { id, user, peer, requests: 0, usedAt: this.#now() });
    this.#sweepLater();
  }

  /** Marks a request of the session as begun or as over. */
  touch(session: Session, change: 1 | -1): void {
    session.requests += change;
    session.usedAt = this.#now();
  }

  /** Ends a session, if it is there. */
  remove(id: string): void {
    const session = this.#sessions.get(id);
    this.#sessions.delete(id);
    void session?.peer.close();
  }

  #now(): number {
    return this.#options.clock.monotonic();
  }

  #sweepLater(): void {
    this.#stopSweeping ??= this.#options.clock.schedule(this.#idleMs, () => {
      this.#stopSweeping = undefined;
      const limit = this.#now() - this.#idleMs;
      for (const session of [...this.#sessions.values()]) {
        if (session.requests === 0 && session.usedAt <= limit) this.remove(session.id);
      }
      if (this.#sessions.size > 0) this.#sweepLater();
    });
  }
}
