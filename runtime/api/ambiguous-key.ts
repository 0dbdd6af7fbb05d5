/** Assigned to an object it changes what the object inherits, and is no key of it afterwards. */
const PROTOTYPE = "__proto__";

/**
 * First key of a JSON text that readers disagree about, or `undefined`: one that an object has twice, or `__proto__`.
 *
 * `JSON.parse` keeps the last of two without a word, other readers the first: what people approved in one reading is
 * rejected in the other. Linear; compares keys as they read, not as they are escaped.
 *
 * @param text - JSON that `JSON.parse` takes.
 * @see RFC 8259 section 4, RFC 7493 section 2.3
 */
export function ambiguousKey(text: string): string | undefined {
  /** Keys of the objects around the place; `undefined` for lists. */
  const open: (Set<string> | undefined)[] = [];
  let expectsKey = false;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfString(text, at);
        const keys = open.at(-1);
        if (expectsKey && keys !== undefined) {
          const key = stringAt(text, at, end);
          if (keys.has(key) || key === PROTOTYPE) return key;
          keys.add(key);
          expectsKey = false;
        }
        at = end;
        break;
      }
      case OPEN_OBJECT:
        open.push(new Set());
        expectsKey = true;
        break;
      case OPEN_LIST:
        open.push(undefined);
        expectsKey = false;
        break;
      case CLOSE_OBJECT:
      case CLOSE_LIST:
        open.pop();
        expectsKey = false;
        break;
      case COMMA:
        expectsKey = open.at(-1) !== undefined;
        break;
    }
  }
  return undefined;
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];

/** Position of the quote that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end >= 0 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  return end < 0 ? text.length : end;
}

function isEscaped(text: string, at: number): boolean {
  let first = at;
  while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
  return (at - first) % 2 === 1;
}

function stringAt(text: string, start: number, end: number): string {
  const raw = text.slice(start, end + 1);
  return raw.includes("\\") ? (JSON.parse(raw) as string) : raw.slice(1, -1);
}
