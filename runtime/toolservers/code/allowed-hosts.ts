/**
 * Whether a host is on a list of hosts and wildcards: `example.com` is itself alone, `*.example.com` everything below.
 *
 * @param host - As of a URL, lower case.
 */
export function isAllowedHost(host: string, allowed: readonly string[]): boolean {
  return allowed.some((entry) => {
    const pattern = entry.trim().toLowerCase();
    if (!pattern.startsWith("*.")) return host === pattern;
    const below = pattern.slice(1);
    return host.endsWith(below) && host.length > below.length;
  });
}
