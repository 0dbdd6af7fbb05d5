import { randomUUID } from "node:crypto";
import {
  type Artifact,
  type Message,
  Role,
  type StreamResponse,
  type Task,
  type TaskStatus,
} from "@a2a-js/sdk";
import {
  type Event,
  type EventBody,
  type EventOf,
  type Part,
  type TaskState,
  THOUGHT,
  type TurnUpdate,
} from "../api/events.ts";
import { META, refKey } from "../api/names.ts";
import { eventMetadata, eventParts } from "./event-parts.ts";
import type { TaskView } from "./task-service.ts";
import {
  kagentMetadata,
  type Metadata,
  type TaskIdentity,
  usageMetadata,
} from "./wire-metadata.ts";
import { partialPart, toWirePart } from "./wire-parts.ts";
import { toWireState } from "./wire-states.ts";

/** A message of a user before it is stored. */
export interface UserMessage {
  readonly messageId: string;
  readonly parts: readonly Part[];
}

/** What the end of a task is made of: the latest of each among its events. */
interface Outcome {
  answer?: Event & { readonly body: EventOf<"message"> };
  pending?: EventOf<"approval-requested">;
  refusal?: EventOf<"refusal">;
  limit?: EventOf<"limit">;
  routing?: EventOf<"routing">;
}

/**
 * Turns the updates of one task into stream items, in the order kagent's clients know
 * (kagent-api section 3.2): every whole event as a `working` status update, at the end the last
 * message as an artifact, then the final status.
 *
 * Users' messages are not repeated: they stand in the first item.
 */
export class StreamMapper {
  readonly #identity: TaskIdentity;
  readonly #now: () => string;
  readonly #partialMetadata: Metadata;
  readonly #outcome: Outcome = {};

  /** @param now - RFC 3339, for updates that are not stored. */
  constructor(identity: TaskIdentity, now: () => string) {
    this.#identity = identity;
    this.#now = now;
    const author = refKey(identity.agent);
    this.#partialMetadata = { ...kagentMetadata(identity, author), adk_partial: true };
  }

  /**
   * First item of the stream that answers a message: the task with that message.
   *
   * @param before - The task as it was when the message continues one.
   */
  sent(message: UserMessage, before?: TaskView): StreamResponse {
    const { taskId: id, contextId, agent, user } = this.#identity;
    for (const event of before?.events ?? []) remember(this.#outcome, event);
    const state = before === undefined ? "submitted" : "working";
    const updatedAt = this.#now();
    const view: TaskView = { id, contextId, agent, events: [], ...before, state, updatedAt };
    const task = taskFromView(view, user);
    task.history.push(this.#userMessage(message));
    return { payload: { $case: "task", value: task } };
  }

  /** The same for kagent's clients of 0.3, for a new task: a status with the message. */
  submittedStatus(message: UserMessage): StreamResponse {
    const status = this.#status("submitted", this.#now(), this.#userMessage(message));
    return this.#update(status, kagentMetadata(this.#identity, "user"));
  }

  /** First item of a stream that joins a task: the task as it is. */
  joined(view: TaskView): StreamResponse {
    for (const event of view.events) remember(this.#outcome, event);
    return { payload: { $case: "task", value: taskFromView(view, this.#identity.user) } };
  }

  /** Items for one update; none for what clients are not told. */
  map(update: TurnUpdate): readonly StreamResponse[] {
    switch (update.kind) {
      case "partial":
        return [this.#partial(update.text, update.thought)];
      case "activity":
        return this.#working(update.body, randomUUID(), this.#now(), {
          ...kagentMetadata(this.#identity, update.author),
          [META.activity]: true,
        });
      case "event":
        return this.#event(update.event);
    }
  }

  #event(event: Event): readonly StreamResponse[] {
    remember(this.#outcome, event);
    const { body, id, time } = event;
    if (body.type === "status") return this.#statusChange(event, body);
    if (body.type === "approval-requested") return []; // told by the status that follows
    if (body.type === "message" && body.role === "user") return [];
    return this.#working(body, id, time, storedMetadata(this.#identity, event));
  }

  #statusChange(event: Event, body: EventOf<"status">): readonly StreamResponse[] {
    if (body.state === "submitted") return [];
    const { taskId, contextId } = this.#identity;
    const status: TaskStatus = {
      state: toWireState(body.state),
      message: statusMessage(this.#identity, event.id, body, this.#outcome),
      timestamp: event.time,
    };
    const update = this.#update(status, {
      ...storedMetadata(this.#identity, event),
      ...endMetadata(body, this.#outcome),
    });
    const artifact = answerArtifact(this.#identity, body, this.#outcome);
    if (artifact === undefined) return [update];
    const value = { taskId, contextId, artifact, append: false, lastChunk: true };
    const metadata = artifact.metadata;
    return [{ payload: { $case: "artifactUpdate", value: { ...value, metadata } } }, update];
  }

  #working(
    body: EventBody,
    messageId: string,
    time: string,
    base: Metadata,
  ): readonly StreamResponse[] {
    if (body.type === "status" || (body.type === "message" && body.role === "user")) return [];
    const metadata = { ...base, ...eventMetadata(body) };
    const parts = eventParts(body);
    const message =
      parts.length === 0 ? undefined : agentMessage(this.#identity, messageId, parts, base);
    return [this.#update(this.#status("working", time, message), metadata)];
  }

  #partial(text: string, thought: boolean): StreamResponse {
    const message = agentMessage(this.#identity, randomUUID(), [], undefined);
    message.parts.push(partialPart(text, thought));
    return this.#update(this.#status("working", this.#now(), message), this.#partialMetadata);
  }

  #status(state: TaskState, timestamp: string, message?: Message): TaskStatus {
    return { state: toWireState(state), message, timestamp };
  }

  #update(status: TaskStatus, metadata: Metadata): StreamResponse {
    const { taskId, contextId } = this.#identity;
    return { payload: { $case: "statusUpdate", value: { taskId, contextId, status, metadata } } };
  }

  #userMessage({ messageId, parts }: UserMessage): Message {
    return userMessage(this.#identity, messageId, parts);
  }
}

/** How much of a task is told. */
export interface TaskDetail {
  /** Newest messages of the history; absent: all. */
  readonly historyLength?: number | undefined;
  /** `omit` leaves the artifacts out, for lists. */
  readonly artifacts?: "include" | "omit";
}

/** A task as A2A shows it: state, answer, messages, and what the turn cost and decided. */
export function taskFromView(view: TaskView, user: string, detail: TaskDetail = {}): Task {
  const { id, contextId, agent, state, updatedAt, usage, error } = view;
  const identity = { agent, user, taskId: id, contextId };
  const outcome: Outcome = {};
  for (const event of view.events) remember(outcome, event);
  const body: EventOf<"status"> = {
    type: "status",
    state,
    ...(usage === undefined ? {} : { usage }),
    ...(error === undefined ? {} : { error }),
  };
  const artifact = answerArtifact(identity, body, outcome);
  const routing = outcome.routing === undefined ? {} : eventMetadata(outcome.routing);
  return {
    id,
    contextId,
    status: {
      state: toWireState(state),
      message: statusMessage(identity, `${id}-status`, body, outcome),
      timestamp: updatedAt,
    },
    artifacts: artifact === undefined || detail.artifacts === "omit" ? [] : [artifact],
    history: historyOf(identity, view.events, detail.historyLength),
    metadata: {
      ...kagentMetadata(identity, refKey(agent)),
      ...(usage === undefined ? {} : { kagent_usage_metadata: usageMetadata(usage) }),
      ...routing,
      ...endMetadata(body, outcome),
      ...(detail.historyLength === undefined && detail.artifacts !== "omit"
        ? silentEvents(view.events)
        : {}),
    },
  };
}

/** Events that the history has no message for: a client that joins after them would never hear of them. */
function silentEvents(events: readonly Event[]): Metadata {
  const silent = events.filter(
    ({ body }) => body.type !== "status" && eventParts(body).length === 0,
  );
  if (silent.length === 0) return {};
  return { [META.events]: silent.map(({ seq, author, body }) => ({ seq, author, body })) };
}

function historyOf(
  identity: TaskIdentity,
  events: readonly Event[],
  length: number | undefined,
): Message[] {
  const messages = events.flatMap((event) => {
    const { body, id } = event;
    if (body.type === "message" && body.role === "user")
      return userMessage(identity, id, body.parts);
    const parts = eventParts(body);
    if (parts.length === 0) return [];
    const metadata = { ...storedMetadata(identity, event), ...eventMetadata(body) };
    return agentMessage(identity, id, parts, metadata);
  });
  return length === undefined ? messages : messages.slice(Math.max(0, messages.length - length));
}

function remember(outcome: Outcome, event: Event): void {
  const { body } = event;
  if (body.type === "message" && body.role === "agent") outcome.answer = { ...event, body };
  else if (body.type === "approval-requested") outcome.pending = body;
  else if (body.type === "refusal") outcome.refusal = body;
  else if (body.type === "limit") outcome.limit = body;
  else if (body.type === "routing") outcome.routing = body;
}

/** The answer: of a finished turn its last message; of one that a limit stopped what it had so far. */
function answerArtifact(
  identity: TaskIdentity,
  { state, error }: EventOf<"status">,
  { answer }: Outcome,
): Artifact | undefined {
  const answered =
    state === "completed" || state === "rejected" || error?.code === "LIMIT_EXCEEDED";
  if (!answered || answer === undefined) return undefined;
  const parts = answer.body.parts.filter((part) => part.metadata?.[THOUGHT] !== true);
  if (parts.length === 0) return undefined;
  return {
    artifactId: answer.id,
    name: "",
    description: "",
    parts: parts.map(toWirePart),
    metadata: storedMetadata(identity, answer),
    extensions: [],
  };
}

function statusMessage(
  identity: TaskIdentity,
  messageId: string,
  { state, error }: EventOf<"status">,
  { pending, refusal }: Outcome,
): Message | undefined {
  const author = kagentMetadata(identity, refKey(identity.agent));
  if (state === "input-required" && pending !== undefined)
    return agentMessage(identity, messageId, eventParts(pending), author);
  const text = error?.message ?? (state === "rejected" ? refusal?.message : undefined);
  if (text === undefined) return undefined;
  const metadata = error === undefined ? author : { ...author, adk_error_code: error.code };
  return agentMessage(identity, messageId, [{ text }], metadata);
}

/** What the end of a turn tells beside its state. */
function endMetadata({ usage, error }: EventOf<"status">, { refusal, limit }: Outcome): Metadata {
  return {
    ...(usage === undefined
      ? {}
      : { adk_usage_metadata: usageMetadata(usage), [META.usage]: usage }),
    ...(error === undefined ? {} : { adk_error_code: error.code }),
    ...(refusal === undefined ? {} : eventMetadata(refusal)),
    ...(limit === undefined ? {} : eventMetadata(limit)),
  };
}

function storedMetadata(identity: TaskIdentity, event: Event): Metadata {
  return { ...kagentMetadata(identity, event.author), [META.seq]: event.seq };
}

function agentMessage(
  { taskId, contextId }: TaskIdentity,
  messageId: string,
  parts: readonly Part[],
  metadata: Metadata | undefined,
): Message {
  const role = Role.ROLE_AGENT;
  const common = { messageId, contextId, taskId, role, metadata };
  return { ...common, parts: parts.map(toWirePart), extensions: [], referenceTaskIds: [] };
}

function userMessage(identity: TaskIdentity, messageId: string, parts: readonly Part[]): Message {
  return { ...agentMessage(identity, messageId, parts, undefined), role: Role.ROLE_USER };
}
