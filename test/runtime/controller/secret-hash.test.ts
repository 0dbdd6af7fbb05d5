import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "mocha";
import { secretHash } from "../../../runtime/controller/secret-hash.ts";

const base64 = (text: string) => Buffer.from(text).toString("base64");

describe("runtime/controller/secretHash", () => {
  it("is kagent's: names, keys and decoded values one after the other, sorted", () => {
    const hash = secretHash([
      { ref: { namespace: "n", name: "b" }, data: { k: base64("\u00ff2") } },
      { ref: { namespace: "n", name: "a" }, data: { y: base64("1"), x: base64("0") } },
    ]);
    const expected = createHash("sha256").update("n/ax0y1n/bk\u00ff2").digest("hex");
    assert.equal(hash, expected);
  });

  it("counts a Secret once that is named twice, and has a value for none", () => {
    const secret = { ref: { namespace: "n", name: "a" }, data: { k: base64("v") } };
    assert.equal(secretHash([secret, secret]), secretHash([secret]));
    assert.equal(secretHash([]), createHash("sha256").digest("hex"));
  });
});
