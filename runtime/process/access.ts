import type { MiddlewareHandler } from "hono";

/** Under which names a server is addressed: what keeps pages of other sites out (DNS rebinding). */
export interface AccessRules {
  /** Host names of the `Host` header, without port, e.g. `127.0.0.1`; unset: any. */
  readonly hosts?: readonly string[];
  /** Origins that pages may have, e.g. `http://127.0.0.1:8080`; unset: pages of `hosts`, else of the very host. */
  readonly origins?: readonly string[];
}

/** Why a request must not be served, or `undefined`. Requests without `Origin` do not come from a page. */
export function refusedAccess(
  headers: Pick<Headers, "get">,
  { hosts, origins }: AccessRules,
): string | undefined {
  const address = `http://${headers.get("host") ?? ""}`;
  const host = hostnameOf(address);
  if (host === undefined || hosts?.includes(host) === false) return "this Host is not served";
  const origin = headers.get("origin");
  if (origin === null) return undefined;
  const known =
    origins?.includes(origin) ??
    hosts?.includes(hostnameOf(origin) ?? "") ??
    hostOf(origin) === hostOf(address);
  return known ? undefined : "this Origin is not served";
}

/** Host with its port; the whole text for what is no URL, which equals no host. */
function hostOf(url: string): string {
  return URL.parse(url)?.host ?? url;
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
