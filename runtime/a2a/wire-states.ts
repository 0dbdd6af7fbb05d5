import { TaskState as WireState } from "@a2a-js/sdk";
import type { TaskState } from "../api/events.ts";

const TO_WIRE: Readonly<Record<TaskState, WireState>> = {
  submitted: WireState.TASK_STATE_SUBMITTED,
  working: WireState.TASK_STATE_WORKING,
  "input-required": WireState.TASK_STATE_INPUT_REQUIRED,
  completed: WireState.TASK_STATE_COMPLETED,
  failed: WireState.TASK_STATE_FAILED,
  canceled: WireState.TASK_STATE_CANCELED,
  rejected: WireState.TASK_STATE_REJECTED,
};
const FROM_WIRE = new Map(
  Object.entries(TO_WIRE).map(([state, wire]) => [wire, state as TaskState]),
);

/** A task's state as the SDK spells it. */
export function toWireState(state: TaskState): WireState {
  return TO_WIRE[state];
}

/** Inverse of {@link toWireState}; `undefined` for states we never have (`auth-required`, unknown). */
export function fromWireState(state: WireState): TaskState | undefined {
  return FROM_WIRE.get(state);
}
