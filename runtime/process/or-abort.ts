/**
 * What `work` resolves to, unless `signal` aborts first: work that ignores its signal holds nobody up.
 *
 * @throws What `work` throws; the signal's reason after an abort. Work that is left goes on unheard.
 */
export async function orAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const abandon = () => {
    reject(signal.reason as Error);
  };
  signal.addEventListener("abort", abandon, { once: true });
  // `work` has begun already: an abort from inside it has no event left
  if (signal.aborted) abandon();
  try {
    return await Promise.race([promise, work]);
  } finally {
    signal.removeEventListener("abort", abandon);
  }
}
