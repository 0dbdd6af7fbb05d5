/** A change of one value in a manifest. */
export interface ManifestChange {
  /** Key whose value changes. */
  readonly key: "replicas" | "tag" | "memory" | "cpu" | "version";
  /** The new value; where none is named, the direction it goes in, or neither. */
  readonly to: { readonly value: string } | { readonly direction: "up" | "down" } | undefined;
  /** Block that the key is in, where the request names one. */
  readonly block: "limits" | "requests" | undefined;
  /** Object the change is for, in lower case; empty for the only one. */
  readonly subject: string;
}

const VALUES: readonly { readonly key: ManifestChange["key"]; readonly pattern: RegExp }[] = [
  {
    key: "memory",
    pattern: /\bmemory\b[^\n]{0,60}?\bto\s+(\d+(?:\.\d+)?\s?(?:[KMGT]i?|B)\w?)/i,
  },
  { key: "cpu", pattern: /\bcpu\b[^\n]{0,60}?\bto\s+(\d+(?:\.\d+)?m?)\b/i },
  { key: "replicas", pattern: /\b(?:scale|replicas?)\b[^\n]{0,80}?\bto\s+(\d{1,4})\b/i },
  { key: "replicas", pattern: /\b(\d{1,4})\s+replicas?\b/i },
  { key: "version", pattern: /\bchart\b[^\n]{0,60}?\bto\s+(?:version\s+)?(v?\d[\w.+-]*)/i },
  {
    key: "tag",
    pattern:
      /\b(?:image|tag|version|upgrade|bump|update)\b[^\n]{0,80}?\bto\s+(?:version\s+|tag\s+)?(v?\d[\w.+-]*)/i,
  },
];

const KEYS: readonly (readonly [RegExp, ManifestChange["key"]])[] = [
  [/\bmemory\b/i, "memory"],
  [/\bcpu\b/i, "cpu"],
  [/\b(?:replicas?|scale)\b/i, "replicas"],
  [/\bchart\b/i, "version"],
  [/\b(?:image|tag|version)\b/i, "tag"],
];

const UP = /\b(?:rais\w*|increas\w*|double|doubles|more|higher|scale up|scale out)\b/i;
const DOWN = /\b(?:lower\w*|decreas\w*|reduc\w*|halve\w*|less|fewer|scale down|scale in)\b/i;

/**
 * What a request for a change asks for, e.g. `scale checkout to 5 replicas`; `undefined` when it is about no value.
 *
 * @param subjects - Words of the request that may name the object, first the likeliest.
 */
export function changeIn(request: string, subjects: readonly string[]): ManifestChange | undefined {
  const text = request.replace(/\bpull requests?\b/gi, " ");
  const block = /\blimits?\b/i.test(text) ? "limits" : requestsBlock(text);
  for (const { key, pattern } of VALUES) {
    const value = pattern.exec(text)?.[1]?.replace(/[.,;]+$|\s+/g, "");
    if (value === undefined) continue;
    const subject = subjects.find((each) => each !== value.toLowerCase()) ?? "";
    return { key, to: { value }, block, subject };
  }
  const key = KEYS.find(([pattern]) => pattern.test(text))?.[1];
  if (key === undefined) return undefined;
  return { key, to: directionIn(text), block, subject: subjects[0] ?? "" };
}

function requestsBlock(text: string): "requests" | undefined {
  return /\brequests?\b/i.test(text) ? "requests" : undefined;
}

function directionIn(text: string): ManifestChange["to"] {
  if (UP.test(text)) return { direction: "up" };
  return DOWN.test(text) ? { direction: "down" } : undefined;
}

/** A place in a manifest that a change is about. */
export interface ManifestPlace {
  /** Index of the line. */
  readonly line: number;
  /** Its value now. */
  readonly value: string;
}

/** A manifest after a change. */
export interface EditedManifest {
  readonly content: string;
  /** New value. */
  readonly value: string;
  /** The lines that differ, as a diff. */
  readonly diff: string;
}

/**
 * Changes one value in a YAML text and nothing else: comments and order stay.
 *
 * Without a value the current one is doubled or halved, replicas go up or down by one; without a direction nothing
 * can be done. `undefined` also when the text has no such key or has the value already.
 */
export function editManifest(content: string, change: ManifestChange): EditedManifest | undefined {
  const lines = content.split("\n");
  const places = placesIn(content, change);
  const value = newValue(change, places[0]?.value ?? "");
  if (value === undefined) return undefined;
  const edited = new Map(
    places.flatMap(({ line }) => {
      const next = withValue(lines[line] ?? "", change.key, value);
      return next === lines[line] ? [] : [[line, next] as const];
    }),
  );
  if (edited.size === 0) return undefined;
  const diff = [...edited].flatMap(([line, next]) => [`-${lines[line] ?? ""}`, `+${next}`]);
  return {
    content: lines.map((line, at) => edited.get(at) ?? line).join("\n"),
    value,
    diff: diff.join("\n"),
  };
}

/**
 * Where the key of a change is in a YAML text.
 *
 * Of several documents the one that names the subject counts; of limits and requests the block that was named, else the
 * limits.
 */
export function placesIn(content: string, change: ManifestChange): readonly ManifestPlace[] {
  const lines = content.split("\n");
  const [from, to] = documentOf(lines, change.subject);
  const keys = change.key === "tag" ? ["tag", "image", "newTag"] : [change.key];
  const pattern = new RegExp(`^\\s*(?:-\\s+)?(?:${keys.join("|")}):\\s*["']?([^"'#\\s]+)`);
  const places = lines.flatMap((line, at) => {
    const value = at < from || at >= to ? undefined : pattern.exec(line)?.[1];
    return value === undefined ? [] : [{ line: at, value }];
  });
  const block = change.block ?? "limits";
  const inBlock = places.filter(({ line }) => parentOf(lines, line) === block);
  return inBlock.length > 0 ? inBlock : places;
}

/** Bounds of the YAML document that names `subject`, of the whole text where there is only one. */
function documentOf(lines: readonly string[], subject: string): readonly [number, number] {
  const marks = lines.flatMap((line, at) => (/^---\s*$/.test(line) ? [at] : []));
  const starts = [0, ...marks];
  const bounds = starts.map((start, index) => [start, starts[index + 1] ?? lines.length] as const);
  const named = bounds.find(([start, end]) =>
    lines
      .slice(start, end)
      .some((line) => /^\s+name:\s/.test(line) && line.toLowerCase().includes(subject)),
  );
  return subject === "" || named === undefined ? [0, lines.length] : named;
}

/** Key of the mapping around a line. */
function parentOf(lines: readonly string[], at: number): string {
  const depth = indentOf(lines[at] ?? "");
  for (let above = at - 1; above >= 0; above -= 1) {
    const line = lines[above] ?? "";
    if (line.trim() === "" || indentOf(line) >= depth) continue;
    return line.trim().replace(/:.*$/, "");
  }
  return "";
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}

function newValue({ key, to }: ManifestChange, current: string): string | undefined {
  if (to === undefined) return undefined;
  if ("value" in to) return to.value;
  const [, digits, unit = ""] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(current) ?? [];
  if (digits === undefined || key === "tag" || key === "version") return undefined;
  const number = Number(digits);
  if (key === "replicas") return String(Math.max(0, number + (to.direction === "up" ? 1 : -1)));
  return `${to.direction === "up" ? number * 2 : number / 2}${unit}`;
}

/** The line with another value; quotes and a comment behind it stay. */
function withValue(line: string, key: ManifestChange["key"], value: string): string {
  const match = /^(\s*(?:-\s+)?[A-Za-z]+:\s*)(["']?)([^"'#\s]+)(["']?)(.*)$/.exec(line);
  if (match === null) return line;
  const [, head = "", open = "", old = "", close = "", rest = ""] = match;
  const isImage = key === "tag" && /image:\s*$/.test(head);
  if (isImage && !/:[^/]+$/.test(old)) return line;
  const next = isImage ? old.replace(/:[^:/@]+(?:@.*)?$/, `:${value}`) : value;
  return `${head}${open}${next}${close}${rest}`;
}
