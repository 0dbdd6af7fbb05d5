/** Lower-case words of a text; names with dashes, dots, slashes and digits stay whole. */
export function wordsOf(text: string): readonly string[] {
  return (
    text
      .normalize("NFKC")
      .toLowerCase()
      .match(/[\p{L}\p{N}][\p{L}\p{N}._/-]*/gu) ?? []
  )
    .map((word) => word.replace(/[./-]+$/, ""))
    .filter((word) => word !== "");
}

/** Distinct matches of `pattern` in `text`, in lower case. */
export function hits(text: string, pattern: RegExp): readonly string[] {
  const global = new RegExp(pattern.source, "giu");
  return [...new Set([...text.matchAll(global)].map(([match]) => match.toLowerCase()))];
}

/** Words of questions that never name an object of a cluster, a repository or a memory. */
const COMMON = new Set(
  `a about across after again all also an and any anything are as at be because been being but by can
could did do does down each every everything find for from get give had has have help how i if in into
is it its just last latest list look me more most my near next no not now of off on one only or other our
out over own per please problem problems recent right running same see show should since so some status
such tell than thank thanks that the their them then there these they this those time to today too up us
use using very was we well were what when where which while who why will with would wrong you your
pod pods container containers deployment deployments service services node nodes namespace namespaces
cluster clusters event events log logs job jobs workload workloads release releases chart charts helm flux
kubernetes k8s resource resources failing failed fail fails failure failures crash crashing crashed crashes
crashloop crashloopbackoff restart restarts restarting restarted error errors issue issues unhealthy
healthy health ready pending broken check overview summary state reason reasons named called yaml
manifest describe details explain oomkilled oom evicted memory cpu usage cost costs api apis new old`.split(
    /\s+/,
  ),
);

/** Words of `text` that may be names: not common, at least three characters. */
export function nameWords(text: string): readonly string[] {
  return [...new Set(wordsOf(text))].filter((word) => word.length >= 3 && !COMMON.has(word));
}

/** `text` on one line, at most `max` characters, its end marked when cut. */
export function oneLine(text: string, max: number): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, " ").trim();
  if (line.length <= max) return line;
  const cut = line.slice(0, max - 3);
  return `${/[\uD800-\uDBFF]$/.test(cut) ? cut.slice(0, -1) : cut}...`;
}

/** `1 pod`, `2 pods`. */
export function counted(count: number, singular: string, plural = `${singular}s`): string {
  return `${count} ${count === 1 ? singular : plural}`;
}

/** Names joined for a sentence, the rest of a long list counted. */
export function named(names: readonly string[], max = 5): string {
  if (names.length <= max) return names.join(", ");
  return `${names.slice(0, max).join(", ")} and ${names.length - max} more`;
}
