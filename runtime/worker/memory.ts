import type { MemorySettings } from "../api/agent-config.ts";
import { refKey } from "../api/names.ts";
import type { EmbeddingModel } from "../model/embedding-model.ts";
import { orAbort } from "../process/or-abort.ts";
import type { AgentMemory } from "../store/agent-memory-store.ts";
import { shortened } from "./context/readable.ts";
import { maskedText } from "./guarded-result.ts";
import type { Turn } from "./turn-context.ts";

/** 10,000 characters of one memory are kept, as of the memories of other tools. */
export const MAX_MEMORY_LENGTH = 10_000;
/** 4,000 characters of a text say what it is about. */
const MAX_QUERY_LENGTH = 4_000;
/** 5 memories are given at once. */
const MAX_FOUND = 5;
/** 30 s to keep one: an embedding model may have to be loaded. */
const SAVE_TIMEOUT_MS = 30_000;
/** Cosine below which a memory has nothing to do with what was asked. */
const MIN_SCORE = 0.4;

/** Memory could not be used; the reason is for the log. */
export class MemoryError extends Error {
  override readonly name = "MemoryError";
}

/** A memory with how near it is to what was asked, -1..1. */
export type FoundMemory = AgentMemory & { readonly score: number };

/** The long-term memory of one agent for the user of one turn (kagent-api section 2.6). */
export interface TurnMemory {
  /** Keeps a text. @throws MemoryError, or the turn's abort reason. */
  save(content: string): Promise<void>;
  /**
   * What comes nearest to a text, nearest first.
   *
   * @param timeoutMs - Longest wait.
   * @throws MemoryError, or the turn's abort reason.
   */
  find(text: string, timeoutMs: number): Promise<readonly FoundMemory[]>;
}

/** The memory of a turn; `undefined` where the agent has none or the worker cannot give it one. */
export function memoryOf(turn: Turn): TurnMemory | undefined {
  const { config, deps, request } = turn;
  const { memory: settings } = config;
  const { embedding, memories } = deps;
  if (settings === undefined || embedding === undefined || memories === undefined) return undefined;
  const owner = { agent: config.ref, user: request.user };
  const vectorOf = vectors(embedding, settings);
  return {
    save: (content) =>
      guarded(turn, { verb: "save", timeoutMs: SAVE_TIMEOUT_MS }, async (signal) => {
        const vector = await vectorOf(content, signal);
        const { ttlDays } = settings;
        await memories.add([{ ...owner, content, vector, ttlDays }]);
      }),
    find: (text, timeoutMs) =>
      guarded(turn, { verb: "load", timeoutMs }, async (signal) => {
        const vector = await vectorOf(text.slice(0, MAX_QUERY_LENGTH), signal);
        return await memories.search({ ...owner, vector, limit: MAX_FOUND, minScore: MIN_SCORE });
      }),
  };
}

function vectors(open: NonNullable<Turn["deps"]["embedding"]>, { embedding }: MemorySettings) {
  let model: Promise<EmbeddingModel> | undefined;
  return async (text: string, signal: AbortSignal): Promise<readonly number[]> => {
    model ??= open(embedding);
    const [vector] = await (await model).embed([text], signal);
    if (vector === undefined) throw new MemoryError("the embedding model made no vector");
    return vector;
  };
}

/** Work with memories never fails a turn: whatever goes wrong becomes one kind of error, told in the log. */
async function guarded<T>(
  turn: Turn,
  { verb, timeoutMs }: { readonly verb: "save" | "load"; readonly timeoutMs: number },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { deps, signal, config } = turn;
  const late = new AbortController();
  const disarm = deps.clock.schedule(timeoutMs, () => {
    late.abort(new MemoryError(`no answer within ${timeoutMs} ms`));
  });
  const either = AbortSignal.any([signal, late.signal]);
  try {
    return await orAbort(work(either), either);
  } catch (error) {
    signal.throwIfAborted();
    const why = maskedText(error instanceof Error ? error.message : String(error)); // quotes the provider
    deps.log.warn("memory failed", { agent: refKey(config.ref), verb, why });
    throw new MemoryError(`failed to ${verb} memories`, { cause: error });
  } finally {
    disarm();
  }
}

/** Memories as lines for a model, within `maxBytes`. */
export function memoryLines(memories: readonly FoundMemory[], maxBytes: number): string {
  const lines = memories.map(
    ({ content, createdAt }) =>
      `- (${createdAt.slice(0, 10)}) ${shortened(content, Math.floor(maxBytes / memories.length))}`,
  );
  return lines.join("\n");
}
