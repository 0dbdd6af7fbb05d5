import { parseEnvelope } from "../api/envelope-markdown.ts";
import type { Part } from "../api/events.ts";
import { ENVELOPE_MEDIA_TYPE } from "../api/names.ts";

/**
 * An answer with a paragraph behind it that says what went wrong afterwards: in its text for people, and in its first
 * envelope, because whoever renders that one shows no text.
 */
export function withRemark(answer: readonly Part[], remark: string): readonly Part[] {
  const last = answer.findLastIndex((part) => "text" in part);
  const enveloped = answer.findIndex(isEnvelope);
  const noted = answer.flatMap((part, at): readonly Part[] => {
    if (at === last) return [part, { text: `\n\n${remark}` }];
    return [at === enveloped ? remarked(part, remark) : part];
  });
  return last < 0 ? [{ text: remark }, ...noted] : noted;
}

function isEnvelope(part: Part): boolean {
  return "data" in part && part.mediaType === ENVELOPE_MEDIA_TYPE;
}

function remarked(part: Part, remark: string): Part {
  const envelope = "data" in part ? parseEnvelope(part.data) : undefined;
  if (envelope === undefined) return part;
  const { status, summary, free_text: text } = envelope;
  return {
    ...part,
    data: {
      ...envelope,
      status: status === "ok" ? "partial" : status,
      summary: `${summary}\n\n${remark}`,
      ...(text === undefined ? {} : { free_text: `${text}\n\n${remark}` }),
    },
  };
}
