import { type Cluster, type ObjectKey, RESOURCES, type StoredObject } from "../api/cluster.ts";
import { ClusterError } from "../api/cluster-reader.ts";
import type { Clock } from "../process/clock.ts";
import { orAbort } from "../process/or-abort.ts";
import type { Logger } from "../telemetry/log.ts";
import { type LeaseSpec, leaseSpec, microTime, newLease } from "./lease.ts";

/** What a {@link LeaderElection} works with. */
export interface LeaderElectionDeps {
  readonly cluster: Pick<Cluster, "get" | "create" | "update">;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What is competed for, and by whom. */
export interface LeaderElectionOptions {
  /** The Lease; made when there is none. */
  readonly lease: Required<ObjectKey>;
  /** Name of this candidate, another one in each process and after each start: pod name and a random part. */
  readonly identity: string;
  /**
   * Work of the leader. Its signal aborts when leadership is lost or the candidate stops; it has to end soon after,
   * because until then this candidate neither competes nor gives the lease to the next. When it ends or throws by
   * itself the lease is given away.
   */
  readonly onLead: (signal: AbortSignal) => Promise<void>;
}

/** 15 s after its last renewal a lease may be taken by others: the hand-over after a kill. */
const LEASE_MS = 15_000;
/** 10 s without a renewal and the leader stops: 5 s before somebody else may start. */
const RENEW_DEADLINE_MS = 10_000;
/** 2 s between renewals and between looks of those who wait. */
const RETRY_MS = 2_000;
/** 5 s for one request: leaves time for a second attempt before the deadline. */
const REQUEST_MS = 5_000;

/** Why the signal of a leader's work aborts when it is not the candidate's own. */
export class LeadershipLostError extends Error {
  override readonly name = "LeadershipLostError";
}

/** The lease as it was last seen, and since when it looks like that by our own clock. */
interface Observed {
  readonly lease: StoredObject;
  readonly since: number;
}

/**
 * One leader among the replicas of a role, by a Lease.
 *
 * Clocks of other machines are never compared: a lease is dead when it did not change for 15 s while we watched it.
 * There is never a second leader as long as work ends within 5 s of its signal.
 *
 * @see https://kubernetes.io/docs/concepts/architecture/leases/
 */
export class LeaderElection {
  readonly #deps: LeaderElectionDeps;
  readonly #options: LeaderElectionOptions;
  #observed: Observed | undefined;
  #isLeader = false;

  constructor(deps: LeaderElectionDeps, options: LeaderElectionOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  /** Whether this candidate leads now. */
  get isLeader(): boolean {
    return this.#isLeader;
  }

  /**
   * Competes until the signal aborts; to be called once.
   *
   * @returns Resolves when the leader's work has ended and the lease is given away. Never rejects.
   */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const askedAt = this.#deps.clock.monotonic();
      const isTaken = await this.#attempt("acquire", signal, (limit) => this.#acquire(limit));
      if (isTaken === true) await this.#lead(askedAt, signal);
      await this.#pause(this.#nextLookMs(), signal);
    }
  }

  /** Works, and renews until the work has ended: also while it ends after an abort. */
  async #lead(takenAt: number, signal: AbortSignal): Promise<void> {
    const { log } = this.#deps;
    const fields = { lease: this.#options.lease.name, identity: this.#options.identity };
    log.info("leadership taken", fields);
    this.#isLeader = true;
    const lost = new AbortController();
    const ended = new AbortController();
    const work = this.#work(AbortSignal.any([signal, lost.signal])).finally(() => {
      ended.abort();
    });
    const isKept = await this.#renewUntil(takenAt, ended.signal);
    this.#isLeader = isKept;
    if (!isKept) {
      log.error("leadership lost", fields);
      lost.abort(new LeadershipLostError("the lease was not renewed in time"));
    }
    await work;
    this.#isLeader = false;
    if (isKept) await this.#release();
  }

  async #work(signal: AbortSignal): Promise<void> {
    try {
      await this.#options.onLead(signal);
    } catch (error) {
      if (!signal.aborted) this.#deps.log.error("leader's work failed", { error: String(error) });
    }
  }

  /** @returns `true` when `signal` aborts and the lease is ours; `false` as soon as it is not. */
  async #renewUntil(renewedAt: number, signal: AbortSignal): Promise<boolean> {
    const { clock } = this.#deps;
    let deadline = renewedAt + RENEW_DEADLINE_MS;
    for (;;) {
      await this.#pause(Math.min(RETRY_MS, Math.max(0, deadline - clock.monotonic())), signal);
      if (signal.aborted) return true;
      const askedAt = clock.monotonic();
      if (askedAt >= deadline) return false;
      const limit = Math.min(REQUEST_MS, deadline - askedAt);
      const isOurs = await this.#attempt("renew", signal, (until) => this.#acquire(until), limit);
      if (isOurs === false) return false;
      if (isOurs === true) deadline = askedAt + RENEW_DEADLINE_MS;
    }
  }

  /** Takes or renews the lease if nobody else has it. @returns Whether it is ours. */
  async #acquire(signal: AbortSignal): Promise<boolean> {
    const { cluster, clock } = this.#deps;
    const { lease: key, identity } = this.#options;
    const lease = await cluster.get(RESOURCES.Lease, key, signal);
    if (lease === undefined) {
      const created = newLease(key, this.#ours({}));
      this.#see(await cluster.create(RESOURCES.Lease, created, signal));
      return true;
    }
    this.#see(lease);
    const spec = leaseSpec(lease);
    const holder = spec.holderIdentity ?? "";
    const isFree = holder === "" || holder === identity;
    if (!isFree && clock.monotonic() < this.#expiry(spec)) return false;
    const taken = { ...lease, spec: this.#ours(spec) };
    this.#see(await cluster.update(RESOURCES.Lease, taken, signal));
    return true;
  }

  /** Gives the lease away, so that the next takes it at once. */
  async #release(): Promise<void> {
    const { cluster, clock } = this.#deps;
    const { lease: key, identity } = this.#options;
    // the candidate's own signal has aborted already
    const stillTime = new AbortController().signal;
    await this.#attempt("release", stillTime, async (limit) => {
      const lease = await cluster.get(RESOURCES.Lease, key, limit);
      if (lease === undefined || leaseSpec(lease).holderIdentity !== identity) return;
      const renewTime = microTime(clock.now());
      const spec = { ...leaseSpec(lease), holderIdentity: "", leaseDurationSeconds: 1, renewTime };
      this.#see(await cluster.update(RESOURCES.Lease, { ...lease, spec }, limit));
    });
  }

  #ours(before: LeaseSpec): LeaseSpec {
    const { identity } = this.#options;
    const now = microTime(this.#deps.clock.now());
    const isNew = before.holderIdentity !== identity;
    const transitions = before.leaseTransitions ?? 0;
    const isFirst = before.renewTime === undefined || before.renewTime === null;
    return {
      ...before,
      holderIdentity: identity,
      leaseDurationSeconds: LEASE_MS / 1000,
      leaseTransitions: isNew && !isFirst ? transitions + 1 : transitions,
      acquireTime: isNew ? now : (before.acquireTime ?? now),
      renewTime: now,
    };
  }

  #see(lease: StoredObject): void {
    const { resourceVersion } = lease.metadata;
    if (this.#observed?.lease.metadata.resourceVersion === resourceVersion) return;
    this.#observed = { lease, since: this.#deps.clock.monotonic() };
  }

  /** When the lease that was last seen is dead, by our monotonic clock. */
  #expiry(spec: LeaseSpec): number {
    const since = this.#observed?.since ?? this.#deps.clock.monotonic();
    return since + (spec.leaseDurationSeconds ?? LEASE_MS / 1000) * 1000;
  }

  /** Until the next look: the retry period, or less when the lease dies before. */
  #nextLookMs(): number {
    if (this.#observed === undefined) return RETRY_MS;
    const leftMs = this.#expiry(leaseSpec(this.#observed.lease)) - this.#deps.clock.monotonic();
    return leftMs > 0 ? Math.min(RETRY_MS, leftMs) : RETRY_MS;
  }

  /** @returns What `work` returns; `undefined` when it failed, was too slow or `signal` aborted. */
  async #attempt<T>(
    what: string,
    signal: AbortSignal,
    work: (limit: AbortSignal) => Promise<T>,
    limitMs = REQUEST_MS,
  ): Promise<T | undefined> {
    const { clock, log } = this.#deps;
    const late = new AbortController();
    const cancel = clock.schedule(limitMs, () => {
      late.abort(new ClusterError("timeout", `no answer within ${limitMs} ms`));
    });
    const limit = AbortSignal.any([signal, late.signal]);
    try {
      return await orAbort(work(limit), limit);
    } catch (error) {
      const isRace =
        error instanceof ClusterError && (error.code === "conflict" || error.code === "exists");
      if (!signal.aborted && !isRace)
        log.warn("lease request failed", { request: what, error: String(error) });
      return undefined;
    } finally {
      cancel();
    }
  }

  async #pause(ms: number, signal: AbortSignal): Promise<void> {
    // rejects on abort only, which the loops see by themselves
    await this.#deps.clock.sleep(ms, signal).catch(() => undefined);
  }
}
