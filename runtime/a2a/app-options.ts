import type { ObjectRef } from "../api/names.ts";
import type { Clock } from "../process/clock.ts";
import type { Logger } from "../telemetry/log.ts";
import type { CardSource } from "./card.ts";
import type { Caller, TaskService } from "./task-service.ts";
import type { MessageLimits } from "./wire-in.ts";

/** What an A2A app serves and how. */
export interface A2aAppOptions {
  /** The agent of that name, as it is now; `undefined`: 404. */
  readonly agents: (ref: ObjectRef) => CardSource | undefined;
  readonly tasks: TaskService;
  /** Who calls; authentication has happened before. */
  readonly caller: (request: Request) => Caller | Promise<Caller>;
  /** What stands before `prefix` in the cards, e.g. `http://127.0.0.1:8083`. */
  readonly baseUrl: string;
  readonly log: Logger;
  /** Path before `/{namespace}/{name}/`; `/api/a2a` unless set. */
  readonly prefix?: string;
  /** Agent that is served at `/` as well, as kagent's pods do; its card then names `baseUrl`. */
  readonly root?: () => ObjectRef | undefined;
  readonly limits?: MessageLimits;
  /** Bytes of a request body; 1 MiB unless set. */
  readonly maxBodyBytes?: number;
  readonly clock?: Clock;
}
