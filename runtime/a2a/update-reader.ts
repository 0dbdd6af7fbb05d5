import type {
  StreamResponse,
  Task,
  TaskArtifactUpdateEvent,
  TaskStatus,
  TaskStatusUpdateEvent,
} from "@a2a-js/sdk";
import { TaskState as WireState } from "@a2a-js/sdk";
import * as z from "zod";
import { Envelope } from "../api/envelope.ts";
import {
  ERROR_CODES,
  EventBody,
  isTerminal,
  type Part,
  type PendingCall,
  type TaskState,
  THOUGHT,
  type TurnError,
  textOf,
  type Usage,
} from "../api/events.ts";
import { ENVELOPE_MEDIA_TYPE, META } from "../api/names.ts";
import { AgentCallError } from "./call-error.ts";
import { readEvents, readPending } from "./event-parts.ts";
import { kagentValue, type Metadata, readAuthor, readUsage } from "./wire-metadata.ts";
import { fromWirePart } from "./wire-parts.ts";
import { fromWireState } from "./wire-states.ts";

/** What an agent that was called tells, `result` last. */
export type AgentUpdate =
  | { readonly kind: "task"; readonly taskId: string; readonly contextId: string }
  | { readonly kind: "partial"; readonly text: string; readonly thought: boolean }
  /** Something the agent, or one it called, did; `author` is `namespace/name` for agents of ours. */
  | { readonly kind: "activity"; readonly author: string; readonly body: EventBody }
  | AgentResult;

/** How a call ended. */
export interface AgentResult {
  readonly kind: "result";
  /** A terminal state or `input-required`. */
  readonly state: TaskState;
  /** The answer. */
  readonly parts: readonly Part[];
  /** The answer's structured form, when it has one. */
  readonly envelope?: Envelope;
  /** Tokens and calls of the task as its agent counts them. */
  readonly usage?: Usage;
  /** Set when `state` is `failed` or `rejected`. */
  readonly error?: TurnError;
  /** What people are asked, when `state` is `input-required`. */
  readonly pending?: readonly PendingCall[];
}

/** 16 MiB of answer as JSON text: bounds memory against a hostile agent. */
const MAX_ANSWER_CHARS = 16 * 1024 * 1024;
/** Characters of another agent's error that are passed on. */
const MAX_ERROR_CHARS = 4_000;

/** 10,000 events that a task's history does not show. */
const SilentEvents = z
  .array(z.object({ seq: z.int(), author: z.string(), body: EventBody }))
  .max(10_000);

/** Reads the stream items of one call, of this platform's agents and of kagent's. */
export class UpdateReader {
  readonly #author: string;
  readonly #identified = Promise.withResolvers<string | undefined>();
  readonly #artifacts = new Map<string, Part[]>();
  #taskId: string | undefined;
  #joined = false;
  #lastSeq = 0;
  #lastMessage: readonly Part[] = [];
  #answerChars = 0;

  /** @param author - Who wrote updates that do not say so. */
  constructor(author: string) {
    this.#author = author;
  }

  /** The task, once the agent has named it. */
  get taskId(): string | undefined {
    return this.#taskId;
  }

  /** Resolves with the task's id when it is known, with `undefined` when it never will be. */
  get identified(): Promise<string | undefined> {
    return this.#identified.promise;
  }

  /** No more items come. */
  end(): void {
    this.#identified.resolve(this.#taskId);
  }

  /**
   * What an item tells; the last one of a call is a `result`.
   *
   * @throws AgentCallError `failed` when the agent wants credentials, `protocol` when it tells too much.
   */
  read({ payload }: StreamResponse): AgentUpdate[] {
    switch (payload?.$case) {
      case "task":
        return this.readTask(payload.value);
      case "statusUpdate":
        return [...this.#identify(payload.value), ...this.#statusUpdate(payload.value)];
      case "artifactUpdate":
        return [...this.#identify(payload.value), ...this.#artifactUpdate(payload.value)];
      case "message":
        return [this.#result("completed", payload.value.parts.map(fromWirePart), undefined)];
      case undefined:
        return [];
    }
  }

  /** What a task tells that the items before it did not. */
  readTask(task: Task): AgentUpdate[] {
    const { id: taskId, contextId, status, metadata } = task;
    const known = this.#identify({ taskId, contextId });
    const missed = this.#missed(task);
    const events = this.#joined ? missed : []; // what it did before this call is not news
    this.#joined = true;
    for (const { artifactId, parts } of task.artifacts)
      this.#artifacts.set(artifactId, parts.map(fromWirePart));
    return [...known, ...events, ...this.#end(status, metadata)];
  }

  #identify({ taskId, contextId }: { taskId: string; contextId: string }): AgentUpdate[] {
    if (this.#taskId !== undefined || taskId === "") return [];
    this.#taskId = taskId;
    this.#identified.resolve(taskId);
    return [{ kind: "task", taskId, contextId }];
  }

  #statusUpdate({ status, metadata }: TaskStatusUpdateEvent): AgentUpdate[] {
    if (!this.#isNew(metadata)) return [];
    this.#joined = true;
    const end = this.#end(status, metadata);
    if (end.length > 0) return end;
    const parts = status?.message?.parts.map(fromWirePart) ?? [];
    if (kagentValue(metadata, "partial") === true) return partials(parts);
    if (status?.state !== WireState.TASK_STATE_WORKING) return [];
    return this.#activities(parts, metadata);
  }

  #artifactUpdate({ artifact, append, lastChunk }: TaskArtifactUpdateEvent): AgentUpdate[] {
    if (artifact === undefined) return [];
    const { artifactId } = artifact;
    const parts = artifact.parts.map(fromWirePart);
    this.#answerChars += JSON.stringify(parts).length;
    if (this.#answerChars > MAX_ANSWER_CHARS)
      throw new AgentCallError("protocol", `the answer of agent ${this.#author} is too large`);
    const before = append ? (this.#artifacts.get(artifactId) ?? []) : [];
    this.#artifacts.delete(artifactId); // the latest one stands last
    this.#artifacts.set(artifactId, [...before, ...parts]);
    return append || !lastChunk ? partials(parts) : [];
  }

  /** What a task's history and its silent events tell that was not told before, by position. */
  #missed({ history, metadata }: Task): AgentUpdate[] {
    const silent = SilentEvents.safeParse(metadata?.[META.events]).data ?? [];
    const items = [
      ...history.map((message) => ({ seq: message.metadata?.[META.seq] as unknown, message })),
      ...silent.map((event) => ({ seq: event.seq, event })),
    ];
    return items
      .flatMap((item) => (typeof item.seq === "number" ? [{ ...item, seq: item.seq }] : []))
      .sort((a, b) => a.seq - b.seq)
      .flatMap((item) => {
        if (!this.#isNew({ [META.seq]: item.seq })) return [];
        if (!("message" in item)) return [{ kind: "activity" as const, ...told(item.event) }];
        const { message } = item;
        const updates = this.#activities(message.parts.map(fromWirePart), message.metadata);
        return updates.filter((update) => !isAsked(update));
      });
  }

  /** Ours are numbered; what was told before is not told again. */
  #isNew(metadata: Metadata | undefined): boolean {
    const seq = metadata?.[META.seq];
    if (typeof seq !== "number") return true;
    if (seq <= this.#lastSeq) return false;
    this.#lastSeq = seq;
    return true;
  }

  #activities(parts: readonly Part[], metadata: Metadata | undefined): AgentUpdate[] {
    const author = readAuthor(metadata) ?? this.#author;
    const nested = metadata?.[META.activity] === true;
    return readEvents(parts, metadata).map((body) => {
      if (body.type === "message" && !nested) this.#lastMessage = body.parts;
      return { kind: "activity", author, body };
    });
  }

  #end(status: TaskStatus | undefined, metadata: Metadata | undefined): AgentResult[] {
    if (status?.state === WireState.TASK_STATE_AUTH_REQUIRED) {
      const message = `agent ${this.#author} wants credentials, which nobody here can give`;
      throw new AgentCallError("failed", message);
    }
    const state = status === undefined ? undefined : fromWireState(status.state);
    if (state === undefined || !(isTerminal(state) || state === "input-required")) return [];
    const said = status?.message?.parts.map(fromWirePart) ?? [];
    return [this.#result(state, said, metadata)];
  }

  #result(state: TaskState, said: readonly Part[], metadata: Metadata | undefined): AgentResult {
    const parts = this.#answer(state, said).filter((part) => part.metadata?.[THOUGHT] !== true);
    const envelope = envelopeIn(parts);
    const usage = readUsage(metadata);
    const result = {
      kind: "result",
      state,
      parts,
      ...(envelope === undefined ? {} : { envelope }),
      ...(usage === undefined ? {} : { usage }),
    } as const;
    if (state === "input-required") return { ...result, pending: readPending(said) };
    if (state !== "failed" && state !== "rejected") return result;
    return { ...result, error: errorOf(state, said, metadata) };
  }

  #answer(state: TaskState, said: readonly Part[]): readonly Part[] {
    const artifact = [...this.#artifacts.values()].at(-1);
    if (artifact !== undefined) return artifact;
    if (state === "completed") return said.length > 0 ? said : this.#lastMessage;
    return state === "input-required" || state === "rejected" ? said.filter(isText) : [];
  }
}

function partials(parts: readonly Part[]): AgentUpdate[] {
  return parts.flatMap((part) =>
    "text" in part
      ? { kind: "partial" as const, text: part.text, thought: part.metadata?.[THOUGHT] === true }
      : [],
  );
}

function told({ author, body }: { readonly author: string; readonly body: EventBody }) {
  return { author, body };
}

/** What people are asked is told by the result. */
function isAsked(update: AgentUpdate): boolean {
  return update.kind === "activity" && update.body.type === "approval-requested";
}

function isText(part: Part): boolean {
  return "text" in part;
}

/** 0.3 loses the media type of a DataPart, so the schema's version tells as well. */
function envelopeIn(parts: readonly Part[]): Envelope | undefined {
  for (const part of parts) {
    if (!("data" in part)) continue;
    if (part.mediaType !== undefined && part.mediaType !== ENVELOPE_MEDIA_TYPE) continue;
    const envelope = Envelope.safeParse(part.data);
    if (envelope.success) return envelope.data;
  }
  return undefined;
}

function errorOf(
  state: TaskState,
  said: readonly Part[],
  metadata: Metadata | undefined,
): TurnError {
  const told = kagentValue(metadata, "error_code");
  const fallback = state === "rejected" ? "INVALID_INPUT" : "DELEGATE_FAILED";
  const code = ERROR_CODES.find((known) => known === told) ?? fallback;
  const message = textOf(said).slice(0, MAX_ERROR_CHARS);
  return { code, message: message === "" ? `the agent ended ${state} without a reason` : message };
}
