import type { PendingCall } from "../api/events.ts";

/** Calls of one task that wait for a person. */
export interface Waiting {
  readonly taskId: string | null;
  readonly contextId: string | null;
  readonly pending: readonly Pick<
    PendingCall,
    "callId" | "kind" | "name" | "args" | "hint" | "expiresAt" | "approvers"
  >[];
}

/** Characters of one argument that are shown; the whole of it is in the change or in `--json`. */
const MAX_VALUE = 200;

/** What waits, with everything a person has to see to decide, and the commands that do it. */
export function waitingText({ taskId, contextId, pending }: Waiting): string {
  const id = taskId ?? "?";
  const ends = pending.flatMap(({ expiresAt }) => (expiresAt === undefined ? [] : [expiresAt]));
  const until = ends.length === 0 ? "" : `, until ${ends.sort()[0] ?? ""}`;
  const who = [...new Set(pending.flatMap(({ approvers }) => approvers ?? []))];
  return [
    `Waiting for a person (task ${id}, session ${contextId ?? "?"}${until}):`,
    ...pending.map(callText),
    ...(who.length === 0 ? [] : [`May decide: ${who.join(", ")}`]),
    ...commands(id, pending),
  ].join("\n\n");
}

function callText({ callId, kind, name, args, hint }: Waiting["pending"][number]): string {
  if (kind === "question") return `? ${hint}`;
  const lines = Object.entries(args).map(([key, value]) => `    ${key}: ${shownValue(value)}`);
  return [`- ${name} (call ${callId})`, ...lines, indented(hint)].join("\n");
}

function shownValue(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length <= MAX_VALUE
    ? text
    : `${text.slice(0, MAX_VALUE)}... (${text.length} characters)`;
}

function indented(text: string): string {
  return text
    .split("\n")
    .map((line) => (line === "" ? "" : `    ${line}`))
    .join("\n");
}

function commands(taskId: string, pending: Waiting["pending"]): readonly string[] {
  if (pending.some(({ kind }) => kind === "question"))
    return [`Answer:   npx kagent approve ${taskId} --answer "..."`];
  return [
    [
      `Approve:  npx kagent approve ${taskId}`,
      `Reject:   npx kagent reject ${taskId} --reason "..."`,
      `Edit:     npx kagent approve ${taskId} --edit '${pending[0]?.callId ?? "CALL"}={...}'`,
    ].join("\n"),
  ];
}
