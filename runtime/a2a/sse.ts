import type { Clock } from "../process/clock.ts";
import { leave } from "./until-aborted.ts";

/** 15 s between comments: below the idle limits of common proxies (decisions 24). */
const HEARTBEAT_MS = 15_000;

const HEADERS = {
  "content-type": "text/event-stream",
  "cache-control": "no-cache",
  "x-accel-buffering": "no",
};

/** What an event stream is made of. */
export interface EventStream {
  /** The event that was read before the headers went out. */
  readonly first: unknown;
  /** The events after it. */
  readonly rest: AsyncIterator<unknown>;
  /** The last event when `rest` fails. */
  readonly failed: (error: unknown) => unknown;
  /** Called once when the stream is over, whoever ended it. */
  readonly over: () => void;
}

/**
 * Answers with server-sent events, one JSON value each.
 *
 * An event is asked for only when the socket takes more; while there is none, a comment goes out every
 * 15 s. A failure ends the stream with an `error` event.
 */
export function eventStreamResponse(stream: EventStream, clock: Clock): Response {
  const { rest, failed } = stream;
  const encoder = new TextEncoder();
  let first: unknown = stream.first;
  let waiting = false;
  let over = false;
  let stopHeartbeat = (): void => undefined;
  const finish = (): void => {
    if (over) return;
    over = true;
    stopHeartbeat();
    stream.over();
    leave(rest);
  };
  const body = new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const beat = (): void => {
          if (waiting) controller.enqueue(encoder.encode(": keep-alive\n\n"));
          stopHeartbeat = clock.schedule(HEARTBEAT_MS, beat);
        };
        stopHeartbeat = clock.schedule(HEARTBEAT_MS, beat);
      },
      async pull(controller) {
        if (first !== undefined) {
          controller.enqueue(encoder.encode(dataLine(first)));
          first = undefined;
          return;
        }
        waiting = true;
        const event = await rest.next().then(
          (step) => (step.done === true ? undefined : dataLine(step.value)),
          (error: unknown) => errorLine(failed(error)),
        );
        waiting = false;
        if (over) return; // the client left while we waited
        if (event !== undefined) controller.enqueue(encoder.encode(event));
        if (event?.startsWith("data:") === true) return;
        finish();
        controller.close();
      },
      cancel: finish,
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: HEADERS });
}

function dataLine(value: unknown): string {
  return `data: ${JSON.stringify(value)}\n\n`;
}

function errorLine(value: unknown): string {
  return `event: error\ndata: ${JSON.stringify(value)}\n\n`;
}
