import {
  ModelProviderConfig,
  type ModelProviderConfigArgs,
} from "../../components/model-provider-config.ts";
import { MODEL_PROVIDER_CONFIG_CASES } from "../runtime/api/cases/model-provider-config-cases.ts";
import { componentContract } from "./component-contract.ts";

componentContract({
  kind: "ModelProviderConfig",
  type: "kagent:index:ModelProviderConfig",
  make: (name, args, opts) =>
    new ModelProviderConfig(name, args as ModelProviderConfigArgs, opts).providerName,
  sound: { type: "Ollama", endpoint: "http://ollama:11434" },
  sent: { type: "Ollama", endpoint: "http://ollama:11434" },
  cases: MODEL_PROVIDER_CONFIG_CASES,
});
