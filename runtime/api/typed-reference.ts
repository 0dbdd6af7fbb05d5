import * as z from "zod";
import { NamespaceName, ObjectName } from "./object-meta.ts";

/** An object by kind and name; the namespace is the referring object's unless given. */
export const TypedReference = z.strictObject({
  kind: z.string().optional(),
  apiGroup: z.string().optional(),
  name: z.string(),
  namespace: z.string().optional(),
});

/** An Agent by name, in fields of ours: the name is checked here, where kagent leaves it to the controller. */
export const AgentReference = z.strictObject({
  name: ObjectName.describe("Name of the Agent."),
  namespace: NamespaceName.describe(
    "Its namespace; that of the referring Agent when absent.",
  ).optional(),
});
