/** Characters of the first message that name a session (kagent-api section 3.2). */
const LENGTH = 20;

/** What a session is called after its first message. */
export function sessionName(text: string): string {
  const line = text.trim().replaceAll(/\s+/g, " ");
  return line.length <= LENGTH ? line : `${line.slice(0, LENGTH)}...`;
}
