import { describe } from "mocha";
import { testCases } from "./cases/case-tests.ts";
import { MODEL_PROVIDER_CONFIG_CASES } from "./cases/model-provider-config-cases.ts";

describe("runtime/api/model-provider-config", () => {
  testCases(MODEL_PROVIDER_CONFIG_CASES);
});
