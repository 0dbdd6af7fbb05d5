import assert from "node:assert/strict";
import { describe, it } from "mocha";
import type { KubeObject } from "../../../../runtime/api/cluster-reader.ts";
import { eventTable } from "../../../../runtime/toolservers/kubernetes/events.ts";

const NOW = Date.UTC(2026, 0, 1, 12);
const ago = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

function event(fields: Readonly<Record<string, unknown>>): KubeObject {
  return {
    apiVersion: "v1",
    kind: "Event",
    metadata: { name: "e", namespace: "n", creationTimestamp: ago(900) },
    ...fields,
  };
}

describe("runtime/toolservers/kubernetes/events", () => {
  it("reads events of both API groups", () => {
    const core = event({
      involvedObject: { kind: "Pod", name: "a", namespace: "n" },
      type: "Warning",
      reason: "BackOff",
      message: "old form",
      lastTimestamp: ago(60),
      count: 4,
    });
    const newer = event({
      regarding: { kind: "Node", name: "b" },
      type: "Warning",
      reason: "Pressure",
      note: "new form",
      eventTime: ago(300),
      series: { count: 7, lastObservedTime: ago(30) },
    });
    const [, first, second] = eventTable([core, newer], NOW, "hidden");
    assert.match(first ?? "", /^30s +Warning +Pressure +node\/b +7 +new form$/);
    assert.match(second ?? "", /^60s +Warning +BackOff +pod\/a +4 +old form$/);
  });

  it("drops old normal events before warnings, and counts both", () => {
    const many = Array.from({ length: 60 }, (_, index) =>
      event({
        involvedObject: { kind: "Pod", name: `p${index}` },
        type: index < 10 ? "Warning" : "Normal",
        reason: "R",
        message: "m",
        lastTimestamp: ago(index),
      }),
    );
    const lines = eventTable(many, NOW, "hidden");
    assert.equal(lines.filter((line) => line.includes("Warning")).length, 10);
    assert.match(lines[21] ?? "", /^\.\.\. 35 of 60 events left out \(0 warnings among them\)/);
  });

  it("keeps a message on one line and bounds it", () => {
    const [, line = ""] = eventTable(
      [event({ type: "Normal", message: `a\nb ${"x".repeat(5000)}` })],
      NOW,
      "hidden",
    );
    assert.ok(line.length < 700);
    assert.match(line, /a b x+\.\.\./);
  });
});
