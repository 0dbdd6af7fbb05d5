import type { ChatMessage } from "../../model/chat-model.ts";
import { brief, shorter } from "./brief-message.ts";

/** 256 bytes of each result of the newest step stay before whatever else there is is left out. */
const NEW_RESULT_BYTES = 256;
/** Share of the free room that the newest results may take at the cost of older messages. */
const NEWEST_SHARE = 0.5;

/** Told in place of messages that found no room. */
const LEFT_OUT: ChatMessage = {
  role: "user",
  text: "[Note of the runtime: messages before this one were left out to make room.]",
};
/** Told in place of a newest step that found no room whatever was done. */
const STEP_LEFT_OUT: ChatMessage = {
  role: "user",
  text: "[Note of the runtime: you made too many or too large calls at once, their results found no room. Make fewer calls, or read the results one by one.]",
};

/** What is to fit. */
export interface Fitting {
  /** Oldest first; calls with their results right behind them. */
  readonly messages: readonly ChatMessage[];
  /** Those that stay as they are, whatever happens: the system message, the question. */
  readonly pinned: ReadonlySet<ChatMessage>;
  /** Those that are left out after all the others: summaries, memories. */
  readonly notes: ReadonlySet<ChatMessage>;
  /** Most tokens. */
  readonly limit: number;
  /** Tokens of one message; less text is never more tokens. */
  readonly tokensOf: (message: ChatMessage) => number;
}

/**
 * `messages` within `limit` tokens.
 *
 * What goes first: results of earlier steps are shortened, then the newest results to half of the room, then
 * whole messages are left out from the oldest on, notes last, then the newest results shrink further. A call
 * and its result stay or go together.
 *
 * @returns `undefined` when what is pinned does not fit by itself.
 */
export function fitMessages(fitting: Fitting): readonly ChatMessage[] | undefined {
  const room = new Room(fitting);
  if (room.fits()) return fitting.messages;
  if (!room.possible()) return undefined;
  room.shortenOldResults();
  const share = Math.max(room.free() * NEWEST_SHARE, room.roomOfNewest());
  if (!room.fits()) room.shortenNewest(share, NEW_RESULT_BYTES);
  room.leaveOutOldest("unless-note");
  if (!room.fits()) room.shortenNewest(room.roomOfNewest(), NEW_RESULT_BYTES);
  room.leaveOutOldest("all");
  if (!room.fits()) room.shortenNewest(room.roomOfNewest(), 0);
  if (!room.fits()) room.leaveOutNewest();
  return room.messages();
}

/** Messages that stand or fall together. */
interface Group {
  readonly messages: readonly ChatMessage[];
  readonly tokens: number;
  readonly pinned: boolean;
  readonly note: boolean;
}

class Room {
  readonly #limit: number;
  readonly #sum: (messages: readonly ChatMessage[]) => number;
  readonly #leastTokens: number;
  readonly #pinnedTokens: number;
  /** In order; `undefined` where one was left out. */
  readonly #groups: (Group | undefined)[];
  /** Position of the last step, whose results the model has not seen yet; -1 without one. */
  readonly #newest: number;
  #tokens: number;
  #gone = false;

  constructor({ messages, pinned, notes, limit, tokensOf }: Fitting) {
    this.#limit = limit;
    this.#sum = (some) => some.reduce((sum, message) => sum + tokensOf(message), 0);
    this.#pinnedTokens = this.#sum([...pinned]);
    this.#leastTokens = this.#sum([...pinned, LEFT_OUT, STEP_LEFT_OUT]);
    const groups = grouped(messages).map((group) => ({
      messages: group,
      tokens: this.#sum(group),
      pinned: group.some((message) => pinned.has(message)),
      note: group.some((message) => notes.has(message)),
    }));
    this.#groups = groups;
    this.#tokens = groups.reduce((sum, { tokens }) => sum + tokens, 0);
    const last = groups.findLastIndex(({ note }) => !note);
    this.#newest = groups[last]?.pinned === false ? last : -1;
  }

  fits(): boolean {
    return this.#tokens <= this.#limit;
  }

  /** Whether it can be made to fit at all. */
  possible(): boolean {
    return this.#leastTokens <= this.#limit;
  }

  messages(): readonly ChatMessage[] {
    const messages = this.#groups.flatMap((group) => group?.messages ?? []);
    if (!this.#gone) return messages;
    return messages.toSpliced(messages[0]?.role === "system" ? 1 : 0, 0, LEFT_OUT);
  }

  /** Tokens beside those of what is pinned. */
  free(): number {
    return this.#limit - this.#pinnedTokens;
  }

  /** Tokens that the newest step may take beside all the others. */
  roomOfNewest(): number {
    return this.#limit - this.#tokens + (this.#groups[this.#newest]?.tokens ?? 0);
  }

  shortenOldResults(): void {
    for (const [index, group] of this.#groups.entries()) {
      if (this.fits()) return;
      if (group === undefined || index === this.#newest || group.pinned) continue;
      this.#replace(index, group.messages.map(brief));
    }
  }

  /** Shortens results and arguments of the newest step evenly until it takes at most `tokens`. */
  shortenNewest(tokens: number, leastBytes: number): void {
    const newest = this.#groups[this.#newest];
    if (newest === undefined || newest.tokens <= tokens) return;
    const within = (bytes: number): readonly ChatMessage[] =>
      newest.messages.map((message) => shorter(message, bytes));
    let low = leastBytes;
    let high = Math.max(leastBytes, ...newest.messages.map(({ text }) => Buffer.byteLength(text)));
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if (this.#sum(within(middle)) <= tokens) low = middle;
      else high = middle - 1;
    }
    this.#replace(this.#newest, within(low));
  }

  leaveOutOldest(what: "unless-note" | "all"): void {
    for (const [index, group] of this.#groups.entries()) {
      if (this.fits()) return;
      const stays = group === undefined || index === this.#newest || group.pinned;
      if (stays || (group.note && what === "unless-note")) continue;
      this.#replace(index, undefined);
    }
  }

  leaveOutNewest(): void {
    if (this.#newest >= 0) this.#replace(this.#newest, [STEP_LEFT_OUT]);
  }

  #replace(index: number, messages: readonly ChatMessage[] | undefined): void {
    const before = this.#groups[index];
    if (before === undefined) return;
    const tokens = messages === undefined ? 0 : this.#sum(messages);
    this.#tokens += tokens - before.tokens;
    this.#groups[index] = messages === undefined ? undefined : { ...before, messages, tokens };
    if (messages !== undefined || this.#gone) return;
    this.#gone = true;
    this.#tokens += this.#sum([LEFT_OUT]);
  }
}

function grouped(messages: readonly ChatMessage[]): readonly (readonly ChatMessage[])[] {
  const groups: ChatMessage[][] = [];
  for (const message of messages)
    if (message.role === "tool" && groups.length > 0) groups.at(-1)?.push(message);
    else groups.push([message]);
  return groups;
}
