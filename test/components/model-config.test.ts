import { ModelConfig, type ModelConfigArgs } from "../../components/model-config.ts";
import { MODEL_CONFIG_CASES } from "../runtime/api/cases/model-config-cases.ts";
import { componentContract } from "./component-contract.ts";

componentContract({
  kind: "ModelConfig",
  type: "kagent:index:ModelConfig",
  make: (name, args, opts) => new ModelConfig(name, args as ModelConfigArgs, opts).modelConfigName,
  sound: { provider: "Ollama", model: "qwen2.5:14b", ollama: { numCtx: 8192 } },
  sent: {
    provider: "Ollama",
    model: "qwen2.5:14b",
    ollama: { numCtx: 8192, truncate: false },
  },
  cases: MODEL_CONFIG_CASES,
});
