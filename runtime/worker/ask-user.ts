import * as z from "zod";
import type { ToolDescription } from "../api/tool.ts";

const Questions = z.object({
  questions: z
    .array(
      z.object({
        question: z.string().min(1),
        choices: z.array(z.string()).optional(),
        multiple: z.boolean().optional(),
      }),
    )
    .min(1)
    .max(10),
});

/** The built-in tool that asks the person at the other end (kagent-api section 3.3). */
export const ASK_USER: ToolDescription = {
  name: "ask_user",
  description:
    "Ask the person one or more questions and wait for the answers. Only when the request cannot be served without them.",
  inputSchema: z.toJSONSchema(Questions, { io: "input" }),
};

/** What is asked, for people; `undefined` when the arguments hold no question. */
export function questionsHint(args: Readonly<Record<string, unknown>>): string | undefined {
  const parsed = Questions.safeParse(args);
  if (!parsed.success) return undefined;
  return parsed.data.questions
    .map(({ question, choices }) =>
      choices === undefined ? question : `${question} (${choices.join(" | ")})`,
    )
    .join("\n");
}
