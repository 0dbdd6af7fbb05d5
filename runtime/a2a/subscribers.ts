import type { TurnUpdate } from "../api/events.ts";

/**
 * Fans one run's updates out to readers at their own pace.
 *
 * A reader that falls behind costs at most what the turn said: partial text that waits for it is joined
 * into one piece.
 */
export class Subscribers {
  readonly #readers = new Set<Reader>();
  #closed = false;

  /** Hands an update to every reader. */
  publish(update: TurnUpdate): void {
    for (const reader of this.#readers) reader.push(update);
  }

  /** Ends every reader after what it still has to read. */
  close(): void {
    this.#closed = true;
    for (const reader of this.#readers) reader.end();
    this.#readers.clear();
  }

  /** Updates from now on; leaving the iteration early unsubscribes. */
  subscribe(): AsyncIterable<TurnUpdate> {
    const reader = new Reader(() => this.#readers.delete(reader));
    if (this.#closed) reader.end();
    else this.#readers.add(reader);
    return reader;
  }
}

class Reader implements AsyncIterable<TurnUpdate> {
  readonly #queue: TurnUpdate[] = [];
  readonly #leave: () => void;
  #wake: (() => void) | undefined;
  #ended = false;

  constructor(leave: () => void) {
    this.#leave = leave;
  }

  push(update: TurnUpdate): void {
    const last = this.#queue.at(-1);
    if (update.kind === "partial" && last?.kind === "partial" && last.thought === update.thought)
      this.#queue[this.#queue.length - 1] = { ...update, text: last.text + update.text };
    else this.#queue.push(update);
    this.#wake?.();
  }

  end(): void {
    this.#ended = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<TurnUpdate, void, undefined> {
    try {
      for (;;) {
        yield* this.#queue.splice(0);
        if (this.#queue.length > 0) continue;
        if (this.#ended) return;
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
      }
    } finally {
      this.#leave();
    }
  }
}
