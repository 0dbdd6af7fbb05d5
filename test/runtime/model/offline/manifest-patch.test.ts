import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { applyPatch, blockDiff } from "../../../../runtime/model/offline/manifest-patch.ts";

const LIVE = `spec:
  template:
    spec:
      containers:
        - name: api
          resources:
            requests:
              cpu: 500m
              memory: 256Mi
            limits:
              cpu: "1"
              memory: 256Mi`;
const raised = LIVE.replace(/memory: 256Mi$/, "memory: 512Mi");
const DIFF = `@@
             limits:
               cpu: "1"
-              memory: 256Mi
+              memory: 512Mi`;

describe("runtime/model/offline/manifest-patch", () => {
  it("shows what differs with its block from the key on", () => {
    assert.equal(blockDiff(LIVE, raised), DIFF);
  });

  it("puts neighbours of one block into one piece, other blocks into their own", () => {
    const both = raised.replace("cpu: 500m", "cpu: 50m").replace("memory: 256Mi", "memory: 64Mi");
    const pieces = blockDiff(LIVE, both).split("@@\n").slice(1);
    assert.equal(pieces.length, 2);
    assert.match(pieces[0] ?? "", /requests:\n-.*500m\n\+.*50m\n-.*256Mi\n\+.*64Mi/);
  });

  it("changes the place that its context tells, in the file's own indentation and with its comments", () => {
    const file = LIVE.replaceAll(/^ {4}/gm, "  ").replace('cpu: "1"', "cpu: 1 # one core");
    const patched = applyPatch(file, DIFF);
    assert.deepEqual(patched?.settings, ["memory: 512Mi"]);
    assert.equal(patched.content, file.replace(/memory: 256Mi$/, "memory: 512Mi"));
  });

  for (const [what, diff] of [
    ["fits in two places", "-              memory: 256Mi\n+              memory: 512Mi"],
    ["fits nowhere", DIFF.replace("limits", "limit")],
    ["changes nothing", DIFF.replace("512Mi", "256Mi")],
    ["has no place at all", "+ memory: 512Mi"],
    ["is none", "set the memory to 512Mi"],
    ["is empty", ""],
  ] as const)
    it(`does not guess where a diff ${what}`, () => {
      assert.equal(applyPatch(LIVE, diff), undefined);
    });

  it("applies what it shows, whatever differs, or not at all", () => {
    const line = fc.tuple(fc.nat(3), fc.constantFrom("a", "b", "c"), fc.nat(3));
    const text = (lines: readonly (readonly [number, string, number])[]) =>
      lines.map(([depth, key, value]) => `${"  ".repeat(depth)}${key}: ${value}`).join("\n");
    let applied = 0;
    fc.assert(
      fc.property(fc.array(fc.tuple(line, fc.nat(9)), { minLength: 1, maxLength: 12 }), (lines) => {
        const before = text(lines.map(([each]) => each));
        const after = text(
          lines.map(([[depth, key, value], by]) => [depth, key, by === 0 ? value + 1 : value]),
        );
        const patched = applyPatch(before, blockDiff(before, after));
        if (patched === undefined) return;
        applied += 1;
        assert.equal(patched.content, after);
      }),
      { numRuns: 500 },
    );
    assert.ok(applied > 50, `${applied} of 500`);
  });
});
