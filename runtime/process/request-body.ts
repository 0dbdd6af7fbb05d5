import type { IncomingMessage } from "node:http";

/** The body of a request is larger than it may be. */
export class BodyTooLargeError extends Error {
  override readonly name = "BodyTooLargeError";

  /** @param maxBytes - The limit. */
  constructor(maxBytes: number) {
    super(`the request body is larger than ${maxBytes} bytes`);
  }
}

/**
 * Body of `request` as text.
 *
 * A body that says it is too large is not read at all, one that turns out to be is left as soon as it is.
 *
 * @throws BodyTooLargeError; a system error when the client goes away in the middle.
 */
export async function readBody(request: Request, maxBytes: number): Promise<string> {
  const declared = request.headers.get("content-length");
  if (declared !== null) {
    if (!(Number(declared) <= maxBytes)) throw new BodyTooLargeError(maxBytes);
    return await request.text(); // the HTTP parser keeps a body to its declared length
  }
  if (request.body === null) return "";
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of request.body as ReadableStream<Uint8Array>) {
    length += chunk.length;
    if (length > maxBytes) throw new BodyTooLargeError(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/**
 * Body of a request as Node's server hands it out, for those who pass it on as it is.
 *
 * @throws BodyTooLargeError; a system error when the client goes away in the middle.
 */
export function readIncoming(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(incoming.headers["content-length"] ?? 0) > maxBytes)
    return Promise.reject(new BodyTooLargeError(maxBytes));
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    incoming.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length <= maxBytes) chunks.push(chunk);
      else {
        incoming.pause();
        reject(new BodyTooLargeError(maxBytes));
      }
    });
    const left = (): void => {
      reject(new Error("the client went away"));
    };
    incoming.once("end", () => {
      incoming.off("close", left);
      resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks));
    });
    incoming.once("error", reject);
    incoming.once("close", left);
  });
}
