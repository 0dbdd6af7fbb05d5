import type { Event, NewEvent } from "../../api/events.ts";
import type { Clock } from "../../process/clock.ts";
import { orAbort } from "../../process/or-abort.ts";
import type { Logger } from "../../telemetry/log.ts";
import { StoreAwayError } from "../store-away-error.ts";
import type { SessionOwner } from "./known-sessions.ts";
import { type Batch, kindOf, OutboxQueue } from "./outbox-queue.ts";
import { MAX_EVENTS, MAX_REQUEST_BYTES } from "./protocol.ts";

/** 16 MiB of events wait at most, of all sessions together: bounds memory while the controller is away. */
const MAX_WAITING_CHARS = 16 * 1024 * 1024;
/** 60 s for room in the buffer, and for an event that must be stored before the turn goes on. */
const PATIENCE_MS = 60_000;
/** 20,000 sessions whose last position is remembered. */
const MAX_POSITIONS = 20_000;
/** What a request says beside its events. */
const REQUEST_EXTRA = 64 * 1024;

/** What an {@link Outbox} needs. */
export interface OutboxDeps {
  /** Sends one request; its answer are the positions. @throws StoreAwayError when it may be sent again. */
  readonly send: (body: string, signal: AbortSignal) => Promise<readonly number[]>;
  /** Milliseconds to wait after so many failures in a row. */
  readonly backOff: (failures: number) => number;
  readonly clock: Clock;
  readonly log: Logger;
  /** Characters of JSON that may wait; 16 Mi unless set. */
  readonly maxWaiting?: number;
}

/** How things stand with the store. */
export interface OutboxState {
  /** Milliseconds since it could not be reached; `undefined`: it can. */
  readonly awayMs: number | undefined;
  /** Events that wait for it. */
  readonly events: number;
}

/**
 * Events on their way into the store: in order within a session, repeated until they are in, none lost.
 *
 * While the store is away, writers are told the positions that their events will have and go on: a session has one
 * writer at a time. What must be stored first waits; so does everything once the buffer is full.
 */
export class Outbox {
  readonly #deps: OutboxDeps;
  readonly #queues = new Map<string, OutboxQueue>();
  readonly #positions = new Map<string, number>();
  readonly #closed = new AbortController();
  /** Called when something changed: room, an answer, the end. */
  readonly #watchers = new Set<() => void>();
  /** Ends the pauses between tries: the store is back. */
  #back = new AbortController();
  #waiting = 0;
  #awaySince: number | undefined;

  constructor(deps: OutboxDeps) {
    this.#deps = deps;
  }

  get state(): OutboxState {
    const { clock } = this.#deps;
    let events = 0;
    for (const { batches } of this.#queues.values())
      for (const batch of batches) events += batch.events.length;
    const since = this.#awaySince;
    return { awayMs: since === undefined ? undefined : clock.monotonic() - since, events };
  }

  /**
   * Appends a batch behind those of the session that wait.
   *
   * @returns The events with their positions, stored, or buffered while the store is away.
   * @throws The store's refusal; RangeError for a batch that is too large; StoreAwayError after 60 s without the store
   *   for what has to be stored first, and for everything when the buffer is full.
   */
  async append(
    contextId: string,
    owner: SessionOwner,
    events: readonly NewEvent[],
  ): Promise<readonly Event[]> {
    const text = events.map((event) => JSON.stringify(event)).join(",");
    if (events.length > MAX_EVENTS || Buffer.byteLength(text) > MAX_REQUEST_BYTES - REQUEST_EXTRA)
      throw new RangeError(
        `failed to append events to session ${contextId}: more than ${MAX_EVENTS} or ${MAX_REQUEST_BYTES} bytes at once`,
      );
    const kind = kindOf(events);
    if (kind !== "final" && this.#isFull(text.length)) await this.#room(contextId, text.length);
    if (this.#closed.signal.aborted) throw new Error("the session store is closed");
    const batch: Batch = { events, text, kind, answer: Promise.withResolvers() };
    const queue = this.#queueOf(contextId, owner);
    queue.batches.push(batch);
    this.#waiting += text.length;
    if (!queue.running) void this.#empty(queue);
    if (this.#awaySince !== undefined) queue.tellPositions();
    if (kind !== "stored") return await batch.answer.promise;
    return await this.#inTime(queue, batch);
  }

  /** Resolves when nothing of the session waits any more. @throws The signal's reason. */
  async settled(contextId: string, signal: AbortSignal): Promise<void> {
    while (this.#queues.has(contextId)) await orAbort(this.#change(), signal);
  }

  /** Resolves when nothing waits any more. @throws The signal's reason. */
  async empty(signal: AbortSignal): Promise<void> {
    while (this.#queues.size > 0) await orAbort(this.#change(), signal);
  }

  /** Ends all tries. What still waits is lost; the log says how much. */
  close(): void {
    if (this.#closed.signal.aborted) return;
    const { events } = this.state;
    this.#closed.abort(new Error("the session store is closed"));
    if (events > 0) this.#deps.log.error("events could not be stored before the end", { events });
    for (const { batches } of this.#queues.values())
      for (const batch of batches) {
        const error = new StoreAwayError("failed to store events: the process is leaving");
        batch.answer.promise.catch(() => undefined); // told already, or nobody waits any more
        batch.answer.reject(error);
      }
    this.#queues.clear();
    this.#changed();
  }

  #isClosed(): boolean {
    return this.#closed.signal.aborted;
  }

  #queueOf(contextId: string, owner: SessionOwner): OutboxQueue {
    const known = this.#queues.get(contextId);
    if (known !== undefined) return known;
    const queue = new OutboxQueue(contextId, owner, this.#positions.get(contextId));
    this.#queues.set(contextId, queue);
    return queue;
  }

  /** Sends what waits in one session until nothing does. */
  async #empty(queue: OutboxQueue): Promise<void> {
    const { signal } = this.#closed;
    queue.running = true;
    for (let failures = 0; queue.batches.length > 0 && !this.#isClosed(); ) {
      const batches = queue.take();
      try {
        const seqs = await this.#deps.send(bodyOf(queue, batches), signal);
        failures = 0;
        this.#reached();
        this.#store(queue, batches, seqs);
      } catch (error) {
        queue.sending = 0;
        if (this.#isClosed()) return;
        if (error instanceof StoreAwayError) {
          failures += 1;
          this.#lost(error);
          this.#takeBack(queue);
          queue.tellPositions();
          await this.#pause(this.#deps.backOff(failures));
        } else {
          failures = 0;
          this.#reached();
          // Together they are refused for one of them: each is to have its own answer.
          if (batches.length > 1) queue.single = batches.length;
          else this.#refuse(queue, error);
        }
      }
    }
    queue.running = false; // in the same turn as the look at the queue: nothing can come in between
    if (this.#queues.get(queue.contextId) === queue) this.#queues.delete(queue.contextId);
    this.#changed();
  }

  #store(queue: OutboxQueue, batches: readonly Batch[], seqs: readonly number[]): void {
    let at = 0;
    for (const batch of batches) {
      this.#remove(queue);
      const stored = batch.events.map((event) => ({ ...event, seq: seqs[at++] ?? 0 }));
      const moved = batch.told?.some(({ seq }, index) => seq !== stored[index]?.seq) ?? false;
      // Somebody else wrote to the session meanwhile, e.g. that this worker counts as lost.
      if (moved) this.#deps.log.warn("buffered events moved", { contextId: queue.contextId });
      batch.answer.resolve(stored);
    }
    queue.lastSeq = seqs.at(-1) ?? queue.lastSeq;
    if (queue.lastSeq !== undefined) this.#remember(queue.contextId, queue.lastSeq);
    this.#changed();
  }

  #refuse(queue: OutboxQueue, error: unknown): void {
    const batch = this.#remove(queue);
    if (batch?.told !== undefined)
      this.#deps.log.error("buffered events were refused", {
        contextId: queue.contextId,
        events: batch.events.length,
        error: String(error),
      });
    batch?.answer.reject(error);
    this.#changed();
  }

  #remove(queue: OutboxQueue): Batch | undefined {
    const batch = queue.batches.shift();
    this.#waiting -= batch?.text.length ?? 0;
    queue.sending = Math.max(0, queue.sending - 1);
    queue.single = Math.max(0, queue.single - 1);
    return batch;
  }

  #isFull(chars: number): boolean {
    // One batch goes in whatever its length: it could never be stored otherwise.
    const most = this.#deps.maxWaiting ?? MAX_WAITING_CHARS;
    return this.#waiting > 0 && this.#waiting + chars > most;
  }

  /** Waits for room in the buffer. @throws StoreAwayError after 60 s. */
  async #room(contextId: string, chars: number): Promise<void> {
    const late = this.#late(contextId, `${this.#waiting} characters of events wait already`);
    try {
      while (this.#isFull(chars) && !this.#closed.signal.aborted)
        await orAbort(this.#change(), late.signal);
    } finally {
      late.disarm();
    }
  }

  /** The answer to a batch that has to be stored. @throws StoreAwayError after 60 s; the batch is taken back. */
  async #inTime(queue: OutboxQueue, batch: Batch): Promise<readonly Event[]> {
    const late = this.#late(queue.contextId, "what follows needs them to be stored");
    try {
      return await orAbort(batch.answer.promise, late.signal);
    } catch (error) {
      batch.givenUp = true;
      this.#takeBack(queue);
      batch.answer.promise.catch(() => undefined); // told by this error
      throw error;
    } finally {
      late.disarm();
    }
  }

  /** Forgets what was given up, unless it is in a request under way: that one may store it yet. */
  #takeBack(queue: OutboxQueue): void {
    for (let at = queue.batches.length - 1; at >= queue.sending; at -= 1) {
      const batch = queue.batches[at];
      if (batch?.givenUp !== true) continue;
      queue.batches.splice(at, 1);
      this.#waiting -= batch.text.length;
    }
    this.#changed();
  }

  #late(contextId: string, why: string): { signal: AbortSignal; disarm: () => void } {
    const late = new AbortController();
    const disarm = this.#deps.clock.schedule(PATIENCE_MS, () => {
      const message = `failed to store events of session ${contextId}: the controller has been away for ${PATIENCE_MS / 1_000} s and ${why}; see that it runs and is reached at KAGENT_URL`;
      late.abort(new StoreAwayError(message));
    });
    return { signal: late.signal, disarm };
  }

  #lost(error: StoreAwayError): void {
    if (this.#awaySince !== undefined) return;
    this.#awaySince = this.#deps.clock.monotonic();
    this.#deps.log.warn("the session store is away; events wait and turns go on", {
      error: error.message,
    });
  }

  #reached(): void {
    if (this.#awaySince === undefined) return;
    const awayMs = Math.round(this.#deps.clock.monotonic() - this.#awaySince);
    this.#deps.log.info("the session store is back", { awayMs, events: this.state.events });
    this.#awaySince = undefined;
    this.#back.abort();
    this.#back = new AbortController();
  }

  async #pause(ms: number): Promise<void> {
    const signal = AbortSignal.any([this.#back.signal, this.#closed.signal]);
    await this.#deps.clock.sleep(ms, signal).catch(() => undefined); // back, or the end: look again
  }

  #remember(contextId: string, seq: number): void {
    this.#positions.delete(contextId);
    this.#positions.set(contextId, seq);
    const oldest = this.#positions.keys().next();
    if (this.#positions.size > MAX_POSITIONS && oldest.done !== true)
      this.#positions.delete(oldest.value);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#watchers.add(resolve));
  }

  #changed(): void {
    const watchers = [...this.#watchers];
    this.#watchers.clear();
    for (const tell of watchers) tell();
  }
}

function bodyOf({ contextId, owner }: OutboxQueue, batches: readonly Batch[]): string {
  const { agent, user } = owner;
  const head = JSON.stringify({ contextId, agent, user }).slice(0, -1);
  return `${head},"events":[${batches.map(({ text }) => text).join(",")}]}`;
}
