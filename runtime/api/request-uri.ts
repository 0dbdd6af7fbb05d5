import * as z from "zod";

/**
 * A URI with a scheme, or a path that begins with `/`: `format: uri` as the API server judges it.
 *
 * Follows Go's `url.ParseRequestURI`, which also takes `mailto:team@example.com` and `*`.
 *
 * @see https://pkg.go.dev/net/url#ParseRequestURI
 */
export const RequestUri = z
  .string()
  .refine(isRequestUri, 'must be a URI such as "https://example.com/docs"')
  .meta({ format: "uri" });

function isRequestUri(value: string): boolean {
  if (hasControlCharacter(value)) return false;
  if (value === "*") return true;
  const scheme = /^[A-Za-z][A-Za-z0-9+.-]*:/.exec(value)?.[0] ?? "";
  const path = value.slice(scheme.length).replace(/\?.*$/s, "");
  // What follows a scheme without a slash is opaque, whatever it is.
  if (!path.startsWith("/")) return scheme !== "";
  if (scheme === "" || !path.startsWith("//")) return isEscaped(path);
  const end = `${path}/`.indexOf("/", 2);
  return isAuthority(path.slice(2, end)) && isEscaped(path.slice(end));
}

function hasControlCharacter(value: string): boolean {
  for (let i = 0; i < value.length; i++) {
    const code = value.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

/** Whether every `%` begins an escape of two hexadecimal digits. */
function isEscaped(value: string): boolean {
  return !/%(?![0-9A-Fa-f]{2})/.test(value);
}

function isAuthority(authority: string): boolean {
  const at = authority.lastIndexOf("@");
  const user = authority.slice(0, Math.max(at, 0));
  return /^[A-Za-z0-9\-._:~!$&'()*+,;=%@]*$/.test(user) && isEscaped(user)
    ? isHost(authority.slice(at + 1))
    : false;
}

/** Host and port: an address in brackets, or a name without the characters that Go refuses. */
function isHost(host: string): boolean {
  if (host.startsWith("[")) return /^\[[^\]\s]*\](:[0-9]*)?$/.test(host);
  const [, name = "", port] = /^([^:]*)(?::(.*))?$/s.exec(host) ?? [];
  if (port !== undefined && !/^[0-9]*$/.test(port)) return false;
  return !/[ #\\^`{|}[\]]/.test(name) && !/%(?![89A-Fa-f][0-9A-Fa-f]|25)/.test(name);
}
