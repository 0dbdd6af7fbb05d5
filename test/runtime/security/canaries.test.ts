import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { Canaries } from "./canaries.ts";

describe("runtime/security: the search for secrets", () => {
  const canaries = new Canaries();
  const { name, value } = canaries.plant("one", (core) => `s p/${core}+`);
  const base64 = (text: string) => Buffer.from(text).toString("base64");
  const forms: Readonly<Record<string, string>> = {
    plain: `key ${value}.`,
    "JSON in JSON": JSON.stringify(JSON.stringify({ value })),
    "percent-encoded": encodeURIComponent(value),
    hex: Buffer.from(value).toString("hex"),
    base64: base64(value),
    "base64 after one byte": base64(`x${value}`),
    "base64 after two bytes, url-safe": Buffer.from(`xy${value} z`).toString("base64url"),
  };
  for (const [form, text] of Object.entries(forms))
    it(`finds ${form}, in text and in bytes`, () => {
      for (const content of [text, Buffer.from(`\0\xff${text}\0`, "latin1")])
        assert.deepEqual(
          canaries.find("here", content).map(({ canary, where }) => [canary, where]),
          [[name, "here"]],
        );
    });

  it("finds nothing where there is none", () => {
    assert.deepEqual(canaries.find("here", value.slice(0, 12)), []);
  });
});
