import { fold, type Token, tokens } from "./words.ts";

interface Node<T> {
  readonly next: Map<string, Node<T>>;
  readonly owners: T[];
}

/**
 * Words and phrases that are looked up in a text all at once.
 *
 * A phrase occurs where its words stand next to each other, parted by white space, dashes or quotes
 * only. Looking up costs O(words of the text x words of the longest phrase).
 */
export class PhraseIndex<T> {
  readonly #root: Node<T> = { next: new Map(), owners: [] };

  /**
   * Adds a phrase; the same phrase may have several owners.
   *
   * @returns False when nothing is left of the phrase once it is folded: it would never occur.
   */
  add(phrase: string, owner: T): boolean {
    const path = tokens(fold(phrase));
    if (!path.some(({ word }) => word)) return false;
    let node = this.#root;
    for (const { text } of path) {
      const known = node.next.get(text);
      const next = known ?? { next: new Map<string, Node<T>>(), owners: [] };
      if (known === undefined) node.next.set(text, next);
      node = next;
    }
    node.owners.push(owner);
    return true;
  }

  /** Owners of the phrases that occur in `text`, phrase by phrase in order of first occurrence. */
  find(text: readonly Token[]): readonly T[] {
    const found = new Set<Node<T>>();
    for (let start = 0; start < text.length; start++) {
      let node: Node<T> | undefined = this.#root;
      for (let at = start; node !== undefined && at < text.length; at++) {
        node = node.next.get(text[at]?.text ?? "");
        if (node !== undefined && node.owners.length > 0) found.add(node);
      }
    }
    return [...found].flatMap(({ owners }) => owners);
  }
}
