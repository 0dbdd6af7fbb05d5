import type { EnvelopeAnswer } from "../../api/envelope.ts";
import { parseJson } from "./json-read.ts";
import { envelopeIn } from "./report-envelope.ts";

/** A request that came with what another agent found out about it. */
export interface RequestWithFindings {
  /** The request alone. */
  readonly request: string;
  /** What was found; absent where nothing came along, or nothing that can be read. */
  readonly findings?: EnvelopeAnswer;
}

/** How the runtime begins what another agent found; its envelope follows on a line of its own. */
const FINDINGS = /\n\nFindings of [\w.-]+\/[\w.-]+: /;

/** Takes a message apart into the request and the findings that the runtime put behind it. */
export function splitFindings(text: string): RequestWithFindings {
  const at = text.search(FINDINGS);
  if (at < 0) return { request: text };
  const found = text
    .slice(at)
    .split("\n")
    .map((line) => (line.startsWith("{") ? envelopeIn(parseJson(line)) : undefined))
    .find((envelope) => envelope !== undefined);
  return { request: text.slice(0, at), ...(found === undefined ? {} : { findings: found }) };
}
