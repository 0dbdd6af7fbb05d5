import { lookup as systemLookup } from "node:dns/promises";
import { isIP } from "node:net";
import { Agent, errors, request } from "undici";
import * as z from "zod";
import type { ToolDefinition, ToolHints } from "../../api/tool.ts";
import { optionalText } from "../arguments.ts";
import { defineTool, ToolFailure } from "../define-tool.ts";
import { isAllowedHost } from "./allowed-hosts.ts";
import { isPublicAddress } from "./public-address.ts";

/** 4 KB of an answer are shown (reference-platform.md section 1). */
const MAX_SHOWN_BYTES = 4096;
/** 64 KiB of a body that is sent. */
const MAX_BODY = 65_536;
/** 30 s for the whole request, redirects included. */
const TIMEOUT_MS = 30_000;
const MAX_REDIRECTS = 3;
const REDIRECTS = new Set([301, 302, 303, 307, 308]);
/** Headers that say who asks, or are the connection's own. */
const OWN_HEADERS = new Set([
  "host",
  "connection",
  "content-length",
  "transfer-encoding",
  "cookie",
]);

/** Reaches the open web; a method other than GET may change something there. */
const WEB: ToolHints = {
  readOnlyHint: false,
  destructiveHint: true,
  idempotentHint: false,
  openWorldHint: true,
};

/** What {@link makeHttpRequest} needs. */
export interface HttpToolDeps {
  /** Hosts that may be asked; wildcards `*.example.com`. Nothing else is, whatever its address. */
  readonly allowedHosts: readonly string[];
  /**
   * Hosts among them that lie in a private network; the others must have a public address, so that a name
   * somebody else controls cannot lead inside.
   */
  readonly privateHosts?: readonly string[];
  /** Addresses of a name; the system's unless set. */
  readonly lookup?: (host: string) => Promise<readonly string[]>;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

/** Sends an HTTP request to a host of the allow-list. */
export function makeHttpRequest(deps: HttpToolDeps): ToolDefinition {
  return defineTool({
    name: "make_http_request",
    description: `Sends an HTTP request and shows status and the first 4 KB of the answer. Hosts that may be asked: ${hostList(deps.allowedHosts)}.`,
    inputSchema: z.strictObject({
      url: z.string().min(1).max(2048).describe("Absolute URL with http or https"),
      method: z.enum(METHODS).default("GET"),
      headers: z
        .record(z.string().max(128), z.string().max(4096))
        .describe("Request headers; no credentials")
        .optional(),
      body: optionalText(MAX_BODY, "Request body, for methods that have one"),
    }),
    hints: WEB,
    run: async ({ url, method, headers, body }, { signal }) => {
      const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
      try {
        return await follow(deps, { url, method, headers: headers ?? {}, body }, limit);
      } catch (error) {
        signal.throwIfAborted();
        if (error instanceof ToolFailure) throw error;
        throw new ToolFailure(failureText(error));
      }
    },
  });
}

function hostList(hosts: readonly string[]): string {
  return hosts.length === 0 ? "none, the platform allows no host" : hosts.join(", ");
}

interface Outgoing {
  readonly url: string;
  readonly method: (typeof METHODS)[number];
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

async function follow(deps: HttpToolDeps, first: Outgoing, signal: AbortSignal): Promise<string> {
  let next = first;
  for (let hops = 0; ; hops += 1) {
    const answer = await send(deps, next, signal);
    if (answer.location === undefined) return answer.text;
    if (hops === MAX_REDIRECTS) throw new ToolFailure(`more than ${MAX_REDIRECTS} redirects`);
    // 303, and by custom 301 and 302, are answered by a GET (RFC 9110 section 15.4)
    const keeps = answer.status === 307 || answer.status === 308 || next.method === "HEAD";
    next = keeps
      ? { ...next, url: answer.location }
      : { ...next, url: answer.location, method: "GET", body: undefined };
  }
}

async function send(
  deps: HttpToolDeps,
  { url: text, method, headers, body }: Outgoing,
  signal: AbortSignal,
): Promise<{ readonly status: number; readonly text: string; readonly location?: string }> {
  const url = checkedUrl(deps, text);
  const address = await addressOf(deps, url.hostname.replace(/^\[|\]$/g, ""));
  // The checked address is the one that is used: a second look-up could answer with another one.
  const agent = new Agent({
    connect: {
      lookup: (_host, _options, done) => {
        done(null, [{ address, family: isIP(address) }]);
      },
    },
  });
  try {
    const answer = await request(url, {
      method,
      headers: allowedHeaders(headers),
      ...(body === undefined || method === "GET" || method === "HEAD" ? {} : { body }),
      dispatcher: agent,
      signal,
    });
    const location = answer.headers["location"];
    if (REDIRECTS.has(answer.statusCode) && typeof location === "string")
      return { status: answer.statusCode, text: "", location: new URL(location, url).href };
    const type = String(answer.headers["content-type"] ?? "unknown type");
    const shown = await beginning(answer.body);
    return {
      status: answer.statusCode,
      text: `HTTP ${answer.statusCode} (${type})\n${shown}`,
    };
  } finally {
    await agent.destroy();
  }
}

function checkedUrl({ allowedHosts }: HttpToolDeps, text: string): URL {
  if (!URL.canParse(text)) throw new ToolFailure("url is no absolute URL");
  const url = new URL(text);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new ToolFailure("url must begin with http:// or https://");
  if (url.username !== "" || url.password !== "")
    throw new ToolFailure("url must not hold credentials");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (!isAllowedHost(host, allowedHosts))
    throw new ToolFailure(
      `${host} is not on the allow-list (${hostList(allowedHosts)}); ask a person to add it to the sandbox's allowedDomains`,
    );
  return url;
}

async function addressOf(deps: HttpToolDeps, host: string): Promise<string> {
  const { lookup = addresses, privateHosts = [] } = deps;
  const found = isIP(host) > 0 ? [host] : await lookup(host);
  const [address] = found;
  if (address === undefined) throw new ToolFailure(`${host} has no address`);
  if (!isAllowedHost(host, privateHosts) && !found.every(isPublicAddress))
    throw new ToolFailure(`${host} leads into a private network; it is not asked`);
  return address;
}

async function addresses(host: string): Promise<readonly string[]> {
  const found = await systemLookup(host, { all: true });
  return found.map(({ address }) => address);
}

function allowedHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const own = Object.entries(headers).filter(([name]) => !OWN_HEADERS.has(name.toLowerCase()));
  return { "user-agent": "kagent", ...Object.fromEntries(own) };
}

async function beginning(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_SHOWN_BYTES) break;
  }
  const bytes = Buffer.concat(chunks);
  const text = bytes.subarray(0, MAX_SHOWN_BYTES).toString("utf8");
  return bytes.length > MAX_SHOWN_BYTES ? `${text}\n... cut after 4 KB ...` : text;
}

function failureText(error: unknown): string {
  if (error instanceof Error && error.name === "TimeoutError")
    return `no answer within ${TIMEOUT_MS / 1000} s`;
  if (error instanceof errors.UndiciError) return `the request failed: ${error.code}`;
  const code = error instanceof Error && "code" in error ? String(error.code) : "unknown";
  return `the request failed: ${code}`;
}
