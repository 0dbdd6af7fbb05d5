import { it } from "mocha";
import type { EventBody, NewEvent, TaskState } from "../../../runtime/api/events.ts";
import type { Store } from "../../../runtime/store/open-store.ts";
import type { StoreDeps } from "../../../runtime/store/sessions.ts";
import { FakeClock } from "../../support/fake-clock.ts";

/** Opens an empty store. */
export type OpenEmpty = (deps: StoreDeps) => Promise<Store>;

/** The agent of every session of {@link begin}. */
export const AGENT = { namespace: "kagent", name: "cluster-agent" };

/** Runs tests on empty stores. */
export function onStore(open: OpenEmpty) {
  return (claim: string, test: (store: Store, clock: FakeClock) => Promise<void>): void => {
    it(claim, async () => {
      const clock = new FakeClock();
      let made = 0;
      const store = await open({ clock, newId: () => `made-${String(++made).padStart(5, "0")}` });
      try {
        await test(store, clock);
      } finally {
        await store.close();
      }
    });
  };
}

/** Makes a session with a task. */
export async function begin(
  { sessions }: Store,
  of: {
    readonly contextId: string;
    readonly taskId: string;
    readonly user?: string;
    readonly root?: string;
  },
): Promise<void> {
  const { contextId, taskId, user = "ann", root = contextId } = of;
  await sessions.ensureSession({
    id: contextId,
    agent: AGENT,
    user,
    name: "n",
    source: root === contextId ? "user" : "agent",
    rootContextId: root,
  });
  await sessions.createTask({ id: taskId, contextId, agent: AGENT, user });
}

let ids = 0;

/** An event of a session. */
export function event(
  contextId: string,
  taskId: string,
  body: EventBody,
  time = "2026-01-01T00:00:00.000Z",
): NewEvent {
  return { id: `s-${++ids}`, time, contextId, taskId, author: "kagent/cluster-agent", body };
}

/** A `status` event. */
export function status(contextId: string, taskId: string, state: TaskState): NewEvent {
  return event(contextId, taskId, { type: "status", state });
}
