import type { Part } from "../api/events.ts";
import { ENVELOPE_MEDIA_TYPE } from "../api/names.ts";
import type { Turn } from "./turn-context.ts";

/** 20 files and pieces of data travel on; the user's own messages hold at most 100 parts. */
const MAX_PARTS = 20;

/** Files and data, without text and without envelopes, which are rendered and not passed on. */
function isAttachment(part: Part): boolean {
  if ("text" in part) return false;
  return !("data" in part && part.mediaType === ENVELOPE_MEDIA_TYPE);
}

/** Files and data among `parts` that travel on; at most 20. */
export function attachmentsIn(parts: readonly Part[]): readonly Part[] {
  return parts.filter(isAttachment).slice(0, MAX_PARTS);
}

/** What the user asked in this task: its first message, whatever was decided about its calls since then. */
export function askedParts(turn: Turn): readonly Part[] {
  const asked = turn
    .history()
    .find(
      ({ taskId, body }) =>
        taskId === turn.request.taskId && body.type === "message" && body.role === "user",
    )?.body;
  return asked?.type === "message" ? asked.parts : turn.request.parts;
}

/** Files and data that came with the request of this task: an agent that is asked for help gets them too. */
export function attachments(turn: Turn): readonly Part[] {
  return attachmentsIn(askedParts(turn));
}

/** Files and data that agents which were asked in this task answered with: they belong to the final answer. */
export function answeredAttachments(turn: Turn): readonly Part[] {
  const own = turn.history().filter(({ taskId }) => taskId === turn.request.taskId);
  const agentCalls = new Set(
    own.flatMap(({ body }) =>
      body.type === "tool-call" && body.target.kind === "agent" ? [body.callId] : [],
    ),
  );
  return attachmentsIn(
    own.flatMap(({ body }) =>
      body.type === "tool-result" && agentCalls.has(body.callId) ? body.parts : [],
    ),
  );
}
