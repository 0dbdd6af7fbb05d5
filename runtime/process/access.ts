import type { MiddlewareHandler } from "hono";

/** Who may talk to a server that listens on a laptop: what keeps pages of other sites out (DNS rebinding). */
export interface AccessRules {
  /** Host names of the `Host` header, without port, e.g. `127.0.0.1`. */
  readonly hosts: readonly string[];
  /** Origins that pages may have, e.g. `http://127.0.0.1:8080`; unset: pages of the same hosts. */
  readonly origins?: readonly string[];
}

/** Why a request must not be served, or `undefined`. Requests without `Origin` do not come from a page. */
export function refusedAccess(headers: Headers, rules: AccessRules): string | undefined {
  const host = hostnameOf(`http://${headers.get("host") ?? ""}`);
  if (host === undefined || !rules.hosts.includes(host)) return "this Host is not served";
  const origin = headers.get("origin");
  if (origin === null) return undefined;
  const { origins, hosts } = rules;
  const known = origins?.includes(origin) ?? hosts.includes(hostnameOf(origin) ?? "");
  return known ? undefined : "this Origin is not served";
}

function hostnameOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).hostname : undefined;
}

/** Names under which a loopback listener may be addressed. */
const LOOPBACK: AccessRules = { hosts: ["127.0.0.1", "localhost", "[::1]"] };

/** Answers 403 to what a browser sends on behalf of a foreign page. Programs send no Origin and pass. */
export function loopbackOnly(): MiddlewareHandler {
  return async (context, next) => {
    const refused = refusedAccess(context.req.raw.headers, LOOPBACK);
    if (refused !== undefined) return context.json({ error: refused }, 403);
    await next();
    return undefined;
  };
}
