import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { ReferenceIndex } from "../../../runtime/controller/reference-index.ts";

describe("runtime/controller/ReferenceIndex", () => {
  it("knows the users of every target, whatever was set and deleted before", () => {
    const name = fc.constantFrom("a", "b", "c", "d");
    const change = fc.record({ user: name, targets: fc.array(name, { maxLength: 5 }) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        const index = new ReferenceIndex();
        const expected = new Map<string, Set<string>>();
        for (const { user, targets } of changes) {
          if (targets.length === 0) index.delete(user);
          else index.set(user, targets);
          expected.set(user, new Set(targets));
        }
        for (const target of ["a", "b", "c", "d"]) {
          const users = [...expected].filter(([, set]) => set.has(target)).map(([user]) => user);
          assert.deepEqual([...index.usersOf(target)].sort(), users.sort());
          assert.equal(index.isUsed(target), users.length > 0);
          assert.deepEqual([...index.targetsOf(target)], [...(expected.get(target) ?? [])]);
        }
      }),
    );
  });
});
