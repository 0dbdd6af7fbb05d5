import { ClusterError } from "../api/cluster-reader.ts";

/**
 * What `work` resolves to, if it does within `timeoutMs` milliseconds. Its signal aborts then, and with `signal`.
 *
 * @param server - Who is waited for, in the message.
 * @throws ClusterError `timeout`; the reason of `signal` when it aborts; what `work` throws.
 */
export async function withinTime<T>(
  timeoutMs: number,
  server: string,
  signal: AbortSignal,
  work: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = AbortSignal.timeout(timeoutMs);
  try {
    return await work(AbortSignal.any([signal, limit]));
  } catch (error) {
    signal.throwIfAborted();
    if (!limit.aborted) throw error;
    throw new ClusterError("timeout", `no answer from ${server} within ${timeoutMs / 1000} s`, {
      cause: error,
    });
  }
}
