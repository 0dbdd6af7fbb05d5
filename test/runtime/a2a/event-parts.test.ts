import assert from "node:assert/strict";
import * as fc from "fast-check";
import { describe, it } from "mocha";
import {
  eventMetadata,
  eventParts,
  readEvents,
  readPending,
} from "../../../runtime/a2a/event-parts.ts";
import { fromWirePart, toWirePart } from "../../../runtime/a2a/wire-parts.ts";
import type { EventBody, Part } from "../../../runtime/api/events.ts";

const name = fc.stringMatching(/^[a-z][a-z0-9_-]{0,20}$/);
const json = fc
  .jsonValue({ maxDepth: 3 })
  .map((value) => JSON.parse(JSON.stringify(value)) as unknown);
const args = fc.dictionary(name, json);
const text = fc.string().map((value): Part => ({ text: value }));
const thought = fc.string().map((value): Part => ({ text: value, metadata: { thought: true } }));
const data = fc
  .record({ data: json, mediaType: fc.constant("application/json") })
  .map((part): Part => part);
const file = fc
  .uint8Array({ maxLength: 20 })
  .map((bytes): Part => ({ raw: Buffer.from(bytes).toString("base64"), filename: "a.bin" }));
const link = fc.webUrl().map((url): Part => ({ url, mediaType: "text/html" }));
const parts = fc.array(fc.oneof(text, thought, data, file, link), { minLength: 1, maxLength: 4 });

const body: fc.Arbitrary<EventBody> = fc.oneof(
  parts.map((content): EventBody => ({ type: "message", role: "agent", parts: content })),
  fc.record({
    type: fc.constant("tool-call" as const),
    callId: name,
    name,
    args,
    target: fc.record({ kind: fc.constantFrom("mcp", "agent", "builtin"), ref: name }),
  }),
  fc.record(
    {
      type: fc.constant("tool-result" as const),
      callId: name,
      name,
      ok: fc.boolean(),
      parts,
      ms: fc.nat(),
      childContextId: fc.uuid(),
    },
    { requiredKeys: ["type", "callId", "name", "ok", "parts", "ms"] },
  ),
  fc.record({
    type: fc.constant("routing" as const),
    outcome: fc.constantFrom("rule", "follow-up", "default", "model", "clarify"),
    rules: fc.array(name),
    agents: fc.array(name),
    matched: fc.dictionary(name, fc.array(name)),
    scores: fc.dictionary(name, fc.nat()),
  }),
  fc.record({ type: fc.constant("refusal" as const), layer: name, rule: name, message: name }),
  fc.record({ type: fc.constant("limit" as const), limit: name, value: fc.nat() }),
  fc.record({ type: fc.constant("handoff" as const), agent: name, when: name }),
  fc.record(
    {
      type: fc.constant("compaction" as const),
      fromSeq: fc.nat(),
      toSeq: fc.nat(),
      summary: fc.string(),
      tokensBefore: fc.nat(),
      tokensAfter: fc.nat(),
    },
    { requiredKeys: ["type", "fromSeq", "toSeq", "summary"] },
  ),
  fc.record({
    type: fc.constant("error" as const),
    error: fc.record({ code: fc.constant("MODEL_ERROR" as const), message: name }),
  }),
);

describe("runtime/a2a/event-parts", () => {
  it("brings every event through the wire unchanged", () => {
    fc.assert(
      fc.property(body, (event) => {
        const wire = JSON.parse(
          JSON.stringify({
            parts: eventParts(event).map((part) => fromWirePart(toWirePart(part))),
            metadata: eventMetadata(event),
          }),
        ) as { parts: Part[]; metadata: Record<string, unknown> };
        assert.deepEqual(readEvents(wire.parts, wire.metadata), [
          JSON.parse(JSON.stringify(event)),
        ]);
      }),
    );
  });

  it("tells clients which events a compaction covers and what it gained", () => {
    const range = { fromSeq: 1, toSeq: 40, summary: "pods crash" };
    const counts = { tokensBefore: 6_000, tokensAfter: 900 };
    const metadata = eventMetadata({ type: "compaction", ...range, ...counts });
    assert.deepEqual(metadata["kagent.dev/compaction"], { from: 1, to: 40, ...counts });
    const uncounted = eventMetadata({ type: "compaction", ...range });
    assert.deepEqual(uncounted["kagent.dev/compaction"], { from: 1, to: 40 });
  });

  it("marks thoughts the way kagent's clients know them", () => {
    const wire = toWirePart({ text: "hm", metadata: { thought: true, more: 1 } });
    assert.deepEqual(wire.metadata, { kagent_thought: true, more: 1 });
    for (const key of ["kagent_thought", "adk_thought"])
      assert.deepEqual(fromWirePart({ ...wire, metadata: { [key]: true } }), {
        text: "hm",
        metadata: { thought: true },
      });
  });

  it("reads one model answer of kagent: text, calls, results, of either prefix", () => {
    const call = { id: "c1", name: "kagent__NS__helm_agent", args: { request: "x" } };
    const result = { id: "c0", name: "get_pods", response: { result: "two pods" } };
    const failed = { id: "c2", name: "get_logs", response: { isError: true, error: "no" } };
    const events = readEvents(
      [
        { data: call, metadata: { kagent_type: "function_call" } },
        { text: "let me ask" },
        { data: result, metadata: { adk_type: "function_response" } },
        { data: failed, metadata: { adk_type: "function_response" } },
      ],
      { kagent_app_name: "kagent__NS__k8s_agent" },
    );
    assert.deepEqual(events, [
      { type: "message", role: "agent", parts: [{ text: "let me ask" }] },
      {
        type: "tool-call",
        callId: "c1",
        name: "kagent__NS__helm_agent",
        args: { request: "x" },
        target: { kind: "agent", ref: "kagent/helm-agent" },
      },
      {
        type: "tool-result",
        callId: "c0",
        name: "get_pods",
        ok: true,
        parts: [{ text: "two pods" }],
        ms: 0,
      },
      {
        type: "tool-result",
        callId: "c2",
        name: "get_logs",
        ok: false,
        parts: [{ text: JSON.stringify(failed.response) }],
        ms: 0,
      },
    ]);
  });

  it("reads the calls that wait for people, and tells questions from approvals", () => {
    const pending = [
      {
        confirmationId: "f1",
        callId: "c1",
        kind: "approval",
        name: "delete_file",
        args: { path: "a" },
        hint: "sure?",
        inputSchema: { type: "object" },
        approvers: ["group:sre"],
        expiresAt: "2026-01-01T01:00:00.000Z",
      },
      {
        confirmationId: "f2",
        callId: "c2",
        kind: "question",
        name: "ask_user",
        args: {},
        hint: "",
      },
    ] as const;
    const asked = eventParts({
      type: "approval-requested",
      pending: structuredClone(pending) as never,
    });
    assert.deepEqual(readPending([{ text: "please" }, ...asked]), pending);
    assert.deepEqual(readEvents(asked, {}), []); // a request to people is no tool call
  });

  it("tells on whose behalf an agent asks, and reads the inner calls of kagent's agents", () => {
    const pending = {
      confirmationId: "f1",
      callId: "inner-1",
      kind: "approval",
      name: "delete_file",
      args: { path: "a" },
      hint: "sure?",
    } as const;
    const delegate = {
      agent: "kagent/git-agent",
      taskId: "t-2",
      contextId: "c-2",
      callId: "outer-1",
      output: "text",
    } as const;
    const asked = eventParts({ type: "approval-requested", pending: [{ ...pending, delegate }] });
    const [part] = asked;
    assert.ok(part !== undefined && "data" in part);
    const inner = { id: "inner-1", name: "delete_file", args: { path: "a" } };
    const { args } = part.data as { args: { toolConfirmation: { payload: unknown } } };
    assert.deepEqual(args.toolConfirmation.payload, {
      task_id: "t-2",
      context_id: "c-2",
      subagent_name: "kagent/git-agent",
      hitl_parts: [{ name: "adk_request_confirmation", id: "f1", originalFunctionCall: inner }],
    });
    assert.deepEqual(readPending(asked), [pending]);

    const outer = { id: "outer-1", name: "kagent__NS__git_agent", args: { request: "delete a" } };
    const confirmation = {
      ...(part.data as object),
      args: { ...args, originalFunctionCall: outer },
    };
    assert.deepEqual(readPending([{ ...part, data: confirmation }]), [pending]);
  });

  it("reads whatever it is given without a throw", () => {
    const anyPart = fc.oneof(
      fc.record({
        data: fc.anything(),
        metadata: fc.constantFrom({ adk_type: "function_call" }, { adk_type: "function_response" }),
      }),
      text,
    );
    const metadata = fc.record({
      "kagent.dev/event": fc.anything(),
      "kagent.dev/routing": fc.anything(),
    });
    fc.assert(
      fc.property(fc.array(anyPart), metadata, (given, about) => {
        readEvents(given, about);
        readPending(given);
      }),
    );
  });
});
