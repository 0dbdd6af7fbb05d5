import assert from "node:assert/strict";
import { describe, it } from "mocha";
import {
  type Condition,
  ConditionList,
  findCondition,
  withCondition,
  withoutCondition,
} from "../../../runtime/api/conditions.ts";
import { CONDITION_MESSAGES, notReadyMessage, REASONS } from "../../../runtime/api/names.ts";

const MONDAY = new Date("2026-01-05T10:00:00Z");
const TUESDAY = new Date("2026-01-06T10:00:00Z");

const accepted = {
  type: "Accepted",
  status: "True",
  reason: REASONS.reconciled,
  message: CONDITION_MESSAGES.agentAccepted,
} as const;
const failed = {
  ...accepted,
  status: "False",
  reason: REASONS.reconcileFailed,
  message: "m",
} as const;

describe("runtime/api/conditions", () => {
  it("adds a condition with generation and time", () => {
    assert.deepEqual(withCondition([], accepted, 3, MONDAY), [
      {
        type: "Accepted",
        status: "True",
        reason: "Reconciled",
        message: "Agent configuration accepted",
        observedGeneration: 3,
        lastTransitionTime: "2026-01-05T10:00:00.000Z",
      },
    ]);
  });

  it("hands back the same array when nothing changed", () => {
    const conditions = withCondition([], accepted, 3, MONDAY);
    assert.equal(withCondition(conditions, accepted, 3, TUESDAY), conditions);
  });

  it("moves the time only with the status", () => {
    const first = withCondition([], failed, 1, MONDAY);
    const reworded = withCondition(first, { ...failed, message: "n" }, 2, TUESDAY);
    assert.equal(reworded[0]?.lastTransitionTime, MONDAY.toISOString());
    assert.equal(reworded[0].observedGeneration, 2);
    const turned = withCondition(reworded, accepted, 2, TUESDAY);
    assert.equal(turned[0]?.lastTransitionTime, TUESDAY.toISOString());
  });

  it("keeps others as they are, each in its place", () => {
    const other: Condition = {
      type: "Programmed",
      status: "Unknown",
      reason: "R",
      message: "",
      observedGeneration: 1,
      lastTransitionTime: MONDAY.toISOString(),
    };
    const both = [...withCondition([], failed, 1, MONDAY), other];
    const turned = withCondition(both, accepted, 1, TUESDAY);
    assert.deepEqual(
      turned.map(({ type, status }) => `${type}=${status}`),
      ["Accepted=True", "Programmed=Unknown"],
    );
    assert.equal(turned[1], other);
    assert.equal(both[0]?.status, "False");
  });

  it("finds and removes by type", () => {
    const conditions = withCondition([], accepted, 1, MONDAY);
    assert.equal(findCondition(conditions, "Accepted"), conditions[0]);
    assert.equal(findCondition(conditions, "Ready"), undefined);
    assert.deepEqual(withoutCondition(conditions, "Accepted"), []);
    assert.equal(withoutCondition(conditions, "Ready"), conditions);
  });

  it("reads what a cluster says, and leaves out what is no condition", () => {
    assert.deepEqual(
      ConditionList.parse([
        { type: "Ready", status: "True" },
        { type: "Ready", status: "yes" },
        null,
      ]),
      [
        {
          type: "Ready",
          status: "True",
          reason: "",
          message: "",
          observedGeneration: 0,
          lastTransitionTime: "",
        },
      ],
    );
    assert.deepEqual(ConditionList.parse({}), []);
  });

  it("speaks as kagent's clients expect", () => {
    assert.equal(REASONS.deploymentReady, "DeploymentReady");
    assert.equal(CONDITION_MESSAGES.deploymentReady, "Deployment is ready");
    assert.equal(notReadyMessage(1, 2), "Deployment is not ready, 1/2 pods are ready");
    assert.equal(REASONS.modelConfigReconciled, "ModelConfigReconciled");
    assert.equal(CONDITION_MESSAGES.modelConfigAccepted, "Model configuration accepted");
    assert.equal(
      CONDITION_MESSAGES.remoteMcpServerAccepted,
      "Remote MCP server configuration accepted",
    );
  });
});
