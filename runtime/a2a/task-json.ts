import { V03PushNotificationSerializer } from "@a2a-js/sdk/compat/v0_3/server";
import type { TaskView } from "./task-service.ts";
import { taskFromView } from "./wire-events.ts";

/** A task as JSON of A2A 0.3, in which kagent's clients read tasks outside A2A too (kagent-api section 3.5). */
export function taskJson(view: TaskView, user: string): unknown {
  const value = taskFromView(view, user);
  const { body } = new V03PushNotificationSerializer().serialize({
    payload: { $case: "task", value },
  });
  return JSON.parse(body);
}
