import { describe } from "mocha";
import { testCases } from "./cases/case-tests.ts";
import { MODEL_CONFIG_CASES } from "./cases/model-config-cases.ts";

describe("runtime/api/model-config", () => {
  testCases(MODEL_CONFIG_CASES);
});
