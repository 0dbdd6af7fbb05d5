import type { Context } from "hono";
import { rpcError } from "./errors.ts";

/** The version a client speaks: by header, or by query as the specification allows (section 3.6.1); absent or empty means 0.3. */
export function requestedVersion(context: Context): string {
  const version = context.req.header("a2a-version") ?? context.req.query("A2A-Version");
  return version === undefined || version === "" ? "0.3" : version;
}

/** An answer that refuses a request before its method is looked at. */
export function refuse(
  context: Context,
  status: 400 | 404 | 405 | 413 | 415 | 500,
  code: number,
  message: string,
): Response {
  return context.json(rpcError(null, code, message), status);
}
