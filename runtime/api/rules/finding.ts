import type { Violation } from "../checked.ts";

/** One broken rule of one object in a set of objects. */
export interface Finding extends Violation {
  /** `error`: the object must not be used like this; `warning`: advice. */
  readonly severity: "error" | "warning";
  /** Name of the rule, the file it is written in. */
  readonly rule: string;
  /** `Kind/namespace/name`; `objects[n]` for what has no name. */
  readonly object: string;
}

/** Makes findings of one rule about one object. */
export function reporter(rule: string, object: string) {
  const report =
    (severity: Finding["severity"]) =>
    (path: string, message: string): Finding => ({ severity, rule, object, path, message });
  return { error: report("error"), warning: report("warning") };
}
