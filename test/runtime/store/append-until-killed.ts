// A process of durability.test.ts: appends to the store at argv[2] until it is killed, and writes the
// position and id of each event after it was acknowledged.
import { randomUUID } from "node:crypto";
import { writeSync } from "node:fs";
import { openStore } from "../../../runtime/store/open-store.ts";

const { sessions } = await openStore({ path: process.argv[2]! });
const agent = { namespace: "kagent", name: "a" };
const owner = { agent, user: "ann" };
await sessions.ensureSession({
  id: "c",
  ...owner,
  name: "n",
  source: "user",
  rootContextId: "c",
});
for (;;) {
  const taskId = randomUUID();
  await sessions.createTask({ id: taskId, contextId: "c", ...owner });
  const event = (text: string) => ({
    id: randomUUID(),
    time: new Date().toISOString(),
    contextId: "c",
    taskId,
    author: "kagent/a",
    body: { type: "message" as const, role: "agent" as const, parts: [{ text }] },
  });
  const appended = await sessions.append("c", [
    event("x".repeat(2000)),
    { ...event(""), body: { type: "status", state: "completed" } },
  ]);
  // Written at once, not buffered: what the parent reads was acknowledged.
  for (const { seq, id } of appended) writeSync(1, `${seq} ${id} ${taskId}\n`);
}
