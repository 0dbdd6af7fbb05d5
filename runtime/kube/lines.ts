import { ClusterError } from "../api/cluster-reader.ts";

const LINE_FEED = 0x0a;

/**
 * Lines of a stream of bytes, without their line feeds; empty ones are left out. A last line without one counts.
 *
 * @param maxBytes - Longest line.
 * @throws ClusterError `invalid` for a longer one, before it is read to its end; what `chunks` throws.
 */
export async function* linesOf(
  chunks: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<string, void> {
  let parts: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
      const line = Buffer.concat([...parts, chunk.subarray(start, end)]);
      parts = [];
      bytes = 0;
      start = end + 1;
      if (line.length > maxBytes) throw tooLong(maxBytes);
      if (line.length > 0) yield line.toString("utf8");
    }
    parts.push(chunk.subarray(start));
    bytes += chunk.length - start;
    if (bytes > maxBytes) throw tooLong(maxBytes);
  }
  const rest = Buffer.concat(parts);
  if (rest.length > 0) yield rest.toString("utf8");
}

function tooLong(maxBytes: number): ClusterError {
  return new ClusterError("invalid", `a line of the API server is longer than ${maxBytes} bytes`);
}
