import * as z from "zod";
import { EMBEDDING_DIMENSIONS } from "../../api/embedding.ts";
import { Event, TASK_STATES, TurnError, Usage } from "../../api/events.ts";

/** Where the controller serves the store to workers. */
export const STORE_PATH = "/internal/store";
/** 16 MiB of JSON in a request: one batch of events. A longer batch is refused before it is sent. */
export const MAX_REQUEST_BYTES = 16 * 1024 * 1024;
/** 10,000 events in a request. */
export const MAX_EVENTS = 10_000;

/** 512 characters: ids as the store takes them; it judges the rest itself. */
const Id = z.string().max(512);
const Text = z.string().max(65_536);
const Ref = z.strictObject({ namespace: z.string().max(253), name: z.string().max(253) });
/** RFC 3339. */
const Time = z.string().max(40);
const Count = z.int().min(0);

const NewSession = z.strictObject({
  id: Id,
  agent: Ref,
  user: Id,
  name: Text,
  source: z.enum(["user", "agent"]),
  parentContextId: Id.exactOptional(),
  rootContextId: Id,
});
const Session = NewSession.extend({ createdAt: Time, updatedAt: Time });
const NewTask = z.strictObject({ id: Id, contextId: Id, agent: Ref, user: Id });
const StoredTask = NewTask.extend({
  state: z.enum(TASK_STATES),
  usage: Usage.exactOptional(),
  error: TurnError.exactOptional(),
  createdAt: Time,
  updatedAt: Time,
});
const TaskQuery = z.strictObject({
  agent: Ref,
  user: Id,
  contextId: Id.exactOptional(),
  state: z.enum(TASK_STATES).exactOptional(),
  pageSize: z.number(),
  pageToken: Text.exactOptional(),
});
const Page = z.strictObject({
  tasks: z.array(StoredTask),
  total: Count,
  nextPageToken: Text.exactOptional(),
});
const Append = z.strictObject({
  contextId: Id,
  /** Whose session it is: the store itself is asked for events of one session, whoever owns it. */
  agent: Ref,
  user: Id,
  events: z.array(Event.omit({ seq: true })).max(MAX_EVENTS),
});
const EventQuery = z.strictObject({
  contextId: Id,
  user: Id,
  taskId: Id.exactOptional(),
  afterSeq: z.number().exactOptional(),
  limit: z.number(),
});
const Owner = z.strictObject({ id: Id, url: z.url({ protocol: /^https?$/ }).max(512) });
const Vector = z.array(z.number()).max(EMBEDDING_DIMENSIONS * 4);
const Metadata = z.record(z.string(), z.unknown());
const NewMemory = z.strictObject({
  agent: Ref,
  user: Id,
  content: Text,
  vector: Vector,
  ttlDays: z.number(),
  metadata: Metadata.exactOptional(),
});
const AgentMemory = z.strictObject({
  id: Id,
  content: Text,
  metadata: Metadata.exactOptional(),
  createdAt: Time,
  expiresAt: Time,
  accessCount: Count,
});
const MemoryOwner = z.strictObject({ agent: Ref, user: Id });

const APPROVAL_STATES = ["pending", "approve", "reject", "answer"] as const;
const ApprovalFilter = z.strictObject({
  user: Id.exactOptional(),
  taskId: Id.exactOptional(),
  state: z.enum(APPROVAL_STATES).exactOptional(),
  expiredAt: Time.exactOptional(),
  limit: z.number(),
});
const Approval = z.strictObject({
  callId: Text,
  taskId: Id,
  contextId: Id,
  agent: Ref,
  user: Id,
  tool: Text,
  kind: z.enum(["approval", "question"]),
  state: z.enum(APPROVAL_STATES),
  argsHash: Text,
  approver: Text.exactOptional(),
  reason: z.string().exactOptional(),
  requestedAt: Time,
  expiresAt: Time.exactOptional(),
  decidedAt: Time.exactOptional(),
});

/** Every call of the store: what goes over the wire and what comes back. */
export const STORE_CALLS = {
  ensureSession: { input: NewSession, output: Session },
  getSession: { input: z.strictObject({ id: Id, user: Id }), output: Session.optional() },
  createTask: { input: NewTask, output: StoredTask },
  getTask: { input: z.strictObject({ id: Id, user: Id }), output: StoredTask.optional() },
  listTasks: { input: TaskQuery, output: Page },
  /** Answers with the positions of the events, in the order given. */
  append: { input: Append, output: z.array(z.int().min(1)).max(MAX_EVENTS) },
  events: { input: EventQuery, output: z.array(Event).max(MAX_EVENTS) },
  heartbeat: { input: Owner, output: z.undefined() },
  claimTask: {
    input: z.strictObject({ taskId: Id, user: Id, ownerId: Id }),
    output: z.undefined(),
  },
  ownerOf: {
    input: z.strictObject({ taskId: Id, user: Id }),
    output: z.strictObject({ id: Id, url: Text, silentMs: z.number() }).optional(),
  },
  addMemories: {
    input: z.strictObject({ memories: z.array(NewMemory).max(100) }),
    output: z.array(AgentMemory),
  },
  searchMemories: {
    input: MemoryOwner.extend({
      vector: Vector,
      limit: z.number(),
      minScore: z.number().exactOptional(),
    }),
    output: z.array(AgentMemory.extend({ score: z.number() })),
  },
  /** Answers with those of the worker's own agents. */
  listApprovals: { input: ApprovalFilter, output: z.array(Approval) },
} as const;
/** A call of the store. */
export type StoreCall = keyof typeof STORE_CALLS;
/** What a call sends. */
export type CallInput<C extends StoreCall> = z.output<(typeof STORE_CALLS)[C]["input"]>;
/** What a call answers. */
export type CallOutput<C extends StoreCall> = z.output<(typeof STORE_CALLS)[C]["output"]>;
