import * as z from "zod";
import type { ToolDefinition } from "../../api/tool.ts";
import type { Clock } from "../../process/clock.ts";
import { count, optionalText } from "../arguments.ts";
import { boundBytes, clip } from "../bounded-text.ts";
import { ADDS, defineTool, ToolFailure } from "../define-tool.ts";

/** A fact that was kept for a user. */
export interface KeptMemory {
  /** Unique. */
  readonly id: string;
  /** The fact. */
  readonly content: string;
  /** RFC 3339. */
  readonly createdAt: string;
}

/** Memories of users, as these tools need them; what one user keeps no other sees. */
export interface Memories {
  /** Keeps a fact. */
  addMemory(memory: { readonly user: string; readonly content: string }): Promise<KeptMemory>;
  /** Best match first. */
  searchMemories(query: {
    readonly user: string;
    readonly text: string;
    readonly limit: number;
  }): Promise<readonly KeptMemory[]>;
  /** Newest first. */
  listMemories(query: {
    readonly user: string;
    readonly limit: number;
  }): Promise<readonly KeptMemory[]>;
}

/** What {@link codeTools} needs. */
export interface CodeToolsDeps {
  /** Tells the time. */
  readonly clock: Pick<Clock, "now">;
  /** Where facts are kept. */
  readonly memories: Memories;
}

/** Time and memories: the tools of code-agent that need no sandbox. */
export function codeTools(deps: CodeToolsDeps): readonly ToolDefinition[] {
  return [getCurrentTime(deps), addMemory(deps), searchMemories(deps), listMemories(deps)];
}

/** 4000 characters: a fact or a short note, not a document. */
const MAX_MEMORY = 4000;
const MAX_FOUND = 50;

function getCurrentTime({ clock }: CodeToolsDeps): ToolDefinition {
  return defineTool({
    name: "get_current_time",
    description: "The date and time now, in UTC or in a time zone such as Europe/Berlin.",
    inputSchema: z.strictObject({
      timezone: optionalText(64, "IANA time zone, e.g. America/New_York; UTC unless given"),
    }),
    run: async ({ timezone = "UTC" }) => {
      const now = new Date(clock.now());
      const local = inZone(now, timezone);
      return Promise.resolve(`${local}\nUTC: ${now.toISOString()}`);
    },
  });
}

function inZone(now: Date, timeZone: string): string {
  const format = zoneFormat(timeZone);
  if (format === undefined)
    throw new ToolFailure(
      `unknown time zone "${timeZone}"; use an IANA name such as Europe/Berlin`,
    );
  const part = Object.fromEntries(
    format.formatToParts(now).map(({ type, value }) => [type, value]),
  );
  const text = (name: string) => part[name] ?? "";
  const offset = text("timeZoneName").replace("GMT", "") || "+00:00";
  const date = `${text("year")}-${text("month")}-${text("day")}`;
  const time = `${text("hour")}:${text("minute")}:${text("second")}`;
  return `${date}T${time}${offset} (${text("weekday")}, ${timeZone})`;
}

function zoneFormat(timeZone: string): Intl.DateTimeFormat | undefined {
  try {
    return new Intl.DateTimeFormat("en-US", {
      timeZone,
      hourCycle: "h23",
      weekday: "long",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
      timeZoneName: "longOffset",
    });
  } catch {
    return undefined;
  }
}

function addMemory({ memories }: CodeToolsDeps): ToolDefinition {
  return defineTool({
    name: "add_memory",
    description:
      "Keeps a fact for the user over conversations. Use it when asked to remember or store something; never for credentials.",
    inputSchema: z.strictObject({
      content: z
        .string()
        .trim()
        .min(1)
        .max(MAX_MEMORY)
        .describe("The fact, in one or two sentences"),
    }),
    hints: ADDS,
    run: async ({ content }, { user }) => {
      const kept = await memories.addMemory({ user, content });
      return `remembered (id ${kept.id})`;
    },
  });
}

function searchMemories({ memories }: CodeToolsDeps): ToolDefinition {
  return defineTool({
    name: "search_memories",
    description:
      "Facts kept for the user that have words in common with the query, best match first. Use it for questions such as what do you know about X.",
    inputSchema: z.strictObject({
      query: z.string().trim().min(1).max(500).describe("Words to look for"),
      limit: count(MAX_FOUND, 5, "Most facts to return"),
    }),
    run: async ({ query, limit }, { user }) =>
      memoryText(await memories.searchMemories({ user, text: query, limit })),
  });
}

function listMemories({ memories }: CodeToolsDeps): ToolDefinition {
  return defineTool({
    name: "list_memories",
    description: "Facts kept for the user, the newest first.",
    inputSchema: z.strictObject({ limit: count(MAX_FOUND, 20, "Most facts to return") }),
    run: async ({ limit }, { user }) => memoryText(await memories.listMemories({ user, limit })),
  });
}

function memoryText(memories: readonly KeptMemory[]): string {
  if (memories.length === 0) return "nothing is remembered about that";
  const lines = memories.map(
    ({ createdAt, content }) => `- ${clip(content, MAX_MEMORY)} (${createdAt})`,
  );
  return boundBytes(lines.join("\n"));
}
