import assert from "node:assert/strict";
import { describe, it } from "mocha";
import { prometheusMeter } from "../../../runtime/telemetry/meter.ts";
import { METRICS } from "../../../runtime/telemetry/metric-catalogue.ts";

const AGENT = { agent: "a", namespace: "kagent" };

describe("runtime/telemetry/meter", () => {
  it("exports every metric of the catalogue with its help and type", async () => {
    const text = await (await prometheusMeter()).text();
    for (const [name, { help, type }] of Object.entries(METRICS)) {
      assert.ok(text.includes(`# HELP ${name} ${help}`), name);
      assert.ok(text.includes(`# TYPE ${name} ${type}`), name);
    }
    assert.match(text, /process_resident_memory_bytes/);
  });

  it("counts, sets, adds, forgets and observes", async () => {
    const meter = await prometheusMeter();
    meter.count("kagent_llm_tokens_total", { model: "m", type: "input" }, 12);
    meter.count("kagent_llm_tokens_total", { model: "m", type: "input" });
    meter.set("kagent_agent_tool_count", AGENT, 21);
    meter.set("kagent_queue_depth", { queue: "gone" }, 1);
    meter.forget("kagent_queue_depth", { queue: "gone" });
    meter.add("kagent_turns_running", {}, 2);
    meter.add("kagent_turns_running", {}, -2);
    meter.observe("kagent_turn_seconds", AGENT, 0.3);
    const text = await meter.text();
    assert.match(text, /kagent_llm_tokens_total\{model="m",type="input"\} 13/);
    assert.match(text, /kagent_agent_tool_count\{agent="a",namespace="kagent"\} 21/);
    assert.match(text, /kagent_turns_running 0/);
    assert.match(text, /kagent_turn_seconds_count\{agent="a",namespace="kagent"\} 1/);
    assert.doesNotMatch(text, /gone/);
  });

  it("keeps its memory whatever names it is told", async () => {
    const meter = await prometheusMeter();
    for (let index = 0; index < 10_100; index++)
      meter.count("kagent_llm_calls_total", { model: `m${index}`, outcome: "ok" });
    const text = await meter.text();
    assert.match(text, /kagent_llm_calls_total\{model="other",outcome="other"\} 100/);
    meter.count("kagent_llm_calls_total", { model: "x".repeat(1_000), outcome: "ok" });
    assert.ok(!(await meter.text()).includes("x".repeat(200)));
  });
});
