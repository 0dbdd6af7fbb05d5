import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { ambiguousKey } from "../../../runtime/api/ambiguous-key.ts";

describe("runtime/api/ambiguousKey", () => {
  for (const [text, key] of [
    ['{"a":1,"a":2}', "a"],
    ['{"x":{"decisions":{"c":"reject","c":"approve"}}}', "c"],
    ['[{"a":1},{"b":2,"b":3}]', "b"],
    ['{"a":1,"\\u0061":2}', "a"],
    ['{"a\\"":1,"a\\"":2}', 'a"'],
    ['{"a":{"b":1},"b":2,"a":3}', "a"],
    ['{"":1,"":2}', ""],
    ['{"a":{"__proto__":1}}', "__proto__"],
    ['{"a":{"__pr\\u006fto__":1}}', "__proto__"],
    ['["__proto__"]', undefined],
    ['{"a":"{\\"a\\":1}"}', undefined],
    ['{"a":1,"b":{"a":1},"c":[{"a":1},{"a":1}]}', undefined],
    ['{"a":["a","a"],"b":"a"}', undefined],
    ['{"a\\\\":1,"a":2}', undefined],
    ['"a"', undefined],
    ["[]", undefined],
  ] as const)
    it(`finds ${JSON.stringify(key)} in ${text}`, () => {
      JSON.parse(text);
      assert.equal(ambiguousKey(text), key);
    });

  it("finds none in what JSON.stringify writes, and one when a key is written again", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), (value) => {
        const keys = Object.keys(value);
        const text = JSON.stringify(value, null, 1);
        assert.equal(ambiguousKey(text), undefined);
        const [first = ""] = keys;
        const twice = `${text.slice(0, text.lastIndexOf("}"))},${JSON.stringify(first)}:0}`;
        assert.equal(ambiguousKey(twice), first);
      }),
    );
  });
});
