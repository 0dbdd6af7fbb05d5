/**
 * Yields what `source` yields until `signal` aborts, then ends and leaves `source`, even in the middle
 * of a wait: a generator alone cannot be left before its next value comes.
 *
 * @throws What `source` throws; never the signal's reason.
 */
export async function* untilAborted<T>(
  source: AsyncIterable<T>,
  signal: AbortSignal,
): AsyncGenerator<T, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  // One listener for the whole iteration: racing each value against one promise would pile up its reactions.
  let wake = (): void => undefined;
  const abort = (): void => {
    wake();
  };
  signal.addEventListener("abort", abort);
  let ended = false;
  try {
    while (!signal.aborted) {
      const step = await new Promise<IteratorResult<T> | undefined>((resolve, reject) => {
        wake = () => {
          resolve(undefined);
        };
        iterator.next().then(resolve, reject);
      });
      if (step === undefined) return;
      if (step.done === true) {
        ended = true;
        return;
      }
      yield step.value;
    }
  } catch (error) {
    ended = true;
    throw error;
  } finally {
    signal.removeEventListener("abort", abort);
    if (!ended) leave(iterator);
  }
}

/** Ends an iteration that nobody waits for any more. */
export function leave(iterator: AsyncIterator<unknown>): void {
  iterator.return?.().catch(() => undefined); // it has nobody left to tell
}
