/** A YAML text after a patch. */
export interface PatchedManifest {
  readonly content: string;
  /** Lines that are new, without their indentation, e.g. `memory: 512Mi`. */
  readonly settings: readonly string[];
}

/**
 * What differs between two texts of equally many lines, with the keys around it.
 *
 * Context is the block that the lines are in, from its key on: a live object and its file in Git agree there, and rarely
 * further out.
 */
export function blockDiff(before: string, after: string): string {
  const [old, next] = [before.split("\n"), after.split("\n")];
  const changed = old.flatMap((line, at) => (line === next[at] ? [] : [at]));
  const blocks: { readonly from: number; to: number }[] = [];
  for (const at of changed) {
    const from = blockStart(old, at);
    const last = blocks.at(-1);
    if (last !== undefined && from <= last.to) last.to = at;
    else blocks.push({ from, to: at });
  }
  return blocks
    .map(({ from, to }) =>
      [
        "@@",
        ...old.slice(from, to + 1).flatMap((line, index) => marked(line, next[from + index])),
      ].join("\n"),
    )
    .join("\n");
}

function marked(old: string, next = ""): readonly string[] {
  return old === next ? [` ${old}`] : [`-${old}`, `+${next}`];
}

/** The line of the key around a line; the line itself at the top. */
function blockStart(lines: readonly string[], at: number): number {
  const depth = indentOf(lines[at] ?? "");
  for (let above = at - 1; above >= 0; above -= 1) {
    const line = lines[above] ?? "";
    if (line.trim() !== "" && indentOf(line) < depth) return above;
  }
  return at;
}

/**
 * Applies a diff to a YAML text; indentation is the text's own.
 *
 * `undefined` where a piece of it fits nowhere, or in several places, or changes nothing: a guess could change something
 * else.
 */
export function applyPatch(content: string, diff: string): PatchedManifest | undefined {
  const hunks = hunksOf(diff);
  const settings: string[] = [];
  let lines: readonly string[] = content.split("\n");
  for (const hunk of hunks) {
    const old = hunk.filter(({ mark }) => mark !== "+");
    const at = placeOf(lines, old);
    if (at === undefined) return undefined;
    const shift = indentOf(lines[at] ?? "") - indentOf(old[0]?.text ?? "");
    const own = lines.slice(at, at + old.length).values();
    const next = hunk.flatMap(({ mark, text }): readonly string[] => {
      if (mark === "+") return [shifted(text, shift)];
      const line = own.next().value ?? "";
      return mark === "-" ? [] : [line];
    });
    settings.push(...hunk.flatMap(({ mark, text }) => (mark === "+" ? [text.trim()] : [])));
    lines = [...lines.slice(0, at), ...next, ...lines.slice(at + old.length)];
  }
  const patched = lines.join("\n");
  return patched === content ? undefined : { content: patched, settings };
}

interface PatchLine {
  readonly mark: " " | "-" | "+";
  readonly text: string;
}

/** Pieces of a diff that change something; heads of files are left out. */
function hunksOf(diff: string): readonly (readonly PatchLine[])[] {
  const hunks: PatchLine[][] = [[]];
  for (const line of diff.split("\n")) {
    if (/^(?:---|\+\+\+|diff |index |\\)/.test(line)) continue;
    if (line.startsWith("@@")) hunks.push([]);
    else if (/^[ +-]/.test(line))
      hunks.at(-1)?.push({ mark: line[0] as PatchLine["mark"], text: line.slice(1) });
  }
  return hunks.filter(
    (hunk) => hunk.some(({ mark }) => mark === "+") && hunk.some(({ mark }) => mark !== "+"),
  );
}

/** Where lines stand, whatever their indentation; `undefined` unless in exactly one place. */
function placeOf(lines: readonly string[], old: readonly PatchLine[]): number | undefined {
  const places = lines.flatMap((_, at) =>
    old.every(({ text }, index) => bare(lines[at + index] ?? "") === bare(text)) ? [at] : [],
  );
  return places.length === 1 ? places[0] : undefined;
}

/** A line without what does not matter: indentation, a comment, quotes. */
function bare(line: string): string {
  return line
    .replace(/\s+#.*$/, "")
    .replaceAll(/["']/g, "")
    .trim();
}

function shifted(text: string, by: number): string {
  return by >= 0 ? `${" ".repeat(by)}${text}` : text.slice(Math.min(-by, indentOf(text)));
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
