import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "mocha";
import { toCallContent } from "../../../runtime/mcp/call-content.ts";
import { CallResult, fromCallResult } from "../../../runtime/mcp/tool-result.ts";

const text = fc.string({ unit: "grapheme", maxLength: 40 });
const content = fc.oneof(
  text.map((value) => ({ type: "text", text: value })),
  fc.base64String().map((data) => ({ type: "image", data, mimeType: "image/png" })),
  text.map((value) => ({ type: "resource", resource: { uri: "file:///a", text: value } })),
  fc.base64String().map((blob) => ({ type: "resource", resource: { uri: "file:///b", blob } })),
  fc.constant({ type: "resource_link", uri: "file:///c", name: "c" }),
);
const result = fc.record({
  content: fc.array(content, { maxLength: 6 }),
  structuredContent: fc.option(fc.dictionary(fc.string(), fc.integer()), { nil: undefined }),
  isError: fc.option(fc.boolean(), { nil: undefined }),
});

describe("runtime/mcp/fromCallResult", () => {
  it("never hands on more than its bound, nor half a character", () => {
    fc.assert(
      fc.property(result, fc.integer({ min: 0, max: 200 }), (answer, maxBytes) => {
        const { parts, structured } = fromCallResult(CallResult.parse(answer), maxBytes);
        const shown = parts.filter((part) => !("text" in part && part.text.startsWith("[cut: ")));
        const bytes = shown.reduce(
          (sum, part) =>
            sum +
            Buffer.byteLength(
              "text" in part ? part.text : "raw" in part ? part.raw : "url" in part ? part.url : "",
            ),
          structured === undefined ? 0 : Buffer.byteLength(JSON.stringify(structured)),
        );
        assert.ok(bytes <= maxBytes, `${bytes} > ${maxBytes}`);
        const texts = answer.content.flatMap((item) =>
          "text" in item
            ? [item.text]
            : "resource" in item && "text" in item.resource
              ? [item.resource.text]
              : [],
        );
        for (const part of shown) {
          if ("text" in part) assert.ok(texts.some((whole) => whole.startsWith(part.text)));
        }
      }),
    );
  });

  it("marks a result as cut if and only if something is missing", () => {
    fc.assert(
      fc.property(result, fc.integer({ min: 0, max: 200 }), (answer, maxBytes) => {
        const whole = fromCallResult(CallResult.parse(answer));
        const cut = fromCallResult(CallResult.parse(answer), maxBytes);
        const marked = cut.parts.some((part) => "text" in part && part.text.startsWith("[cut: "));
        if (!marked) assert.deepEqual(cut, whole);
      }),
    );
  });

  it("survives anything that calls itself content", () => {
    fc.assert(
      fc.property(fc.array(fc.anything()), (anything) => {
        const { parts } = fromCallResult(CallResult.parse({ content: anything }));
        assert.equal(parts.length, anything.length);
      }),
    );
  });

  it("comes back from the wire as it was sent", () => {
    fc.assert(
      fc.property(result, (answer) => {
        const sent = fromCallResult(CallResult.parse(answer));
        const wire: unknown = JSON.parse(JSON.stringify(toCallContent(sent)));
        const { text: heard, structured, isError } = fromCallResult(CallResult.parse(wire));
        assert.equal(heard, sent.text);
        assert.deepEqual([structured, isError], [sent.structured, sent.isError]);
      }),
    );
  });
});
