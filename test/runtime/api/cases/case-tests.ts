import assert from "node:assert/strict";
import { it } from "mocha";
import { parseObject } from "../../../../runtime/api/objects.ts";
import type { ObjectCase } from "./object-case.ts";

/** One test for each case: what `parseObject` says, and where. */
export function testCases(cases: readonly ObjectCase[]): void {
  for (const { claim, object, paths, message } of cases) {
    it(claim, () => {
      // As it comes from a file or the wire: fields that are undefined do not exist.
      const parsed = parseObject(JSON.parse(JSON.stringify(object)));
      const violations = parsed.ok ? [] : parsed.violations;
      assert.deepEqual(
        violations.map(({ path }) => path),
        paths,
        JSON.stringify(violations),
      );
      if (message !== undefined) assert.match(violations[0]?.message ?? "", message);
    });
  }
}
