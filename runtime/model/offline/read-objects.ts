import { textAt } from "./json-read.ts";
import { type ObjectState, objectState, readyMessage, stateInRow } from "./object-health.ts";
import { readObjects } from "./read-list.ts";
import { readTable } from "./read-table.ts";
import type { ResourceKind } from "./resource-kinds.ts";
import type { PastCall } from "./situation.ts";

/** Objects of one kind that a tool listed. */
export interface StateList {
  readonly states: readonly (ObjectState & { readonly message: string })[];
  /** How many there are, shown or not. */
  readonly total: number;
  readonly incomplete: boolean;
}

/** States of the objects in the answer of a list, JSON or table; `undefined` when it is neither. */
export function readStates(call: PastCall, { kind }: ResourceKind): StateList | undefined {
  const list = readObjects(call.text);
  if (list !== undefined)
    return {
      states: list.objects.map((object) => {
        const state = objectState(textAt(object, "kind") === "" ? { ...object, kind } : object);
        return { ...state, message: state.trouble || readyMessage(object) };
      }),
      total: list.total,
      incomplete: list.incomplete,
    };
  const table = readTable(call.text);
  if (table === undefined) return undefined;
  const namespace = textAt(call.args, "namespace");
  return {
    states: table.rows.map((row) => {
      const state = stateInRow(kind, row, namespace);
      return { ...state, message: state.trouble };
    }),
    total: table.rows.length,
    incomplete: table.incomplete,
  };
}
