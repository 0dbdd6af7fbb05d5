import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** Stands for a worker: streams events at the pace of a model, each with the time it was written. */

/** 10 events a second: a model that writes fast, its words in pieces. */
const EVENT_MS = 100;
const EVENTS = 40;
/** Bytes of an event as our workers write it. */
const PADDING = "x".repeat(500);

const server = createServer((request, response) => {
  request.resume();
  response.writeHead(200, { "content-type": "text/event-stream" });
  const begun = performance.now();
  let sent = 0;
  let timer: NodeJS.Timeout | undefined;
  const send = (): void => {
    response.write(`data: {"at":${process.hrtime.bigint()},"text":"${PADDING}"}\n\n`);
    sent += 1;
    if (sent === EVENTS) response.end();
    // By the beginning, not by now: else streams that were once late together would stay in step for good.
    else timer = setTimeout(send, Math.max(1, begun + sent * EVENT_MS - performance.now()));
  };
  response.once("close", () => {
    clearTimeout(timer);
  });
  send();
});
server.listen(0, "127.0.0.1", () => {
  process.send?.((server.address() as AddressInfo).port);
});
process.once("disconnect", () => {
  process.exit();
});
