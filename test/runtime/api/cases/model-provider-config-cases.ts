import { type ObjectCase, refuses, takes } from "./object-case.ts";

type Fields = Readonly<Record<string, unknown>>;

/** A ModelProviderConfig with this spec. */
export function modelProviderConfig(spec: Fields): Fields {
  return {
    apiVersion: "kagent.dev/v1alpha2",
    kind: "ModelProviderConfig",
    metadata: { name: "sample" },
    spec,
  };
}

const SECRET = { secretRef: { name: "key" } };

/** Each bound and each rule of a ModelProviderConfig, from both sides. */
export const MODEL_PROVIDER_CONFIG_CASES: readonly ObjectCase[] = [
  takes("Ollama without a Secret", modelProviderConfig({ type: "Ollama" })),
  takes(
    "every field",
    modelProviderConfig({ type: "OpenAI", endpoint: "https://a/v1", ...SECRET }),
  ),
  ...[
    "Anthropic",
    "OpenAI",
    "AzureOpenAI",
    "Gemini",
    "GeminiVertexAI",
    "AnthropicVertexAI",
    "Bedrock",
    "SAPAICore",
    "Foundry",
  ].flatMap((type) => [
    takes(`${type} with a Secret`, modelProviderConfig({ type, ...SECRET })),
    refuses(
      `${type} without a Secret`,
      modelProviderConfig({ type }),
      "spec",
      /^secretRef is required, except with Ollama$/,
    ),
  ]),
  takes(
    "an endpoint in clear",
    modelProviderConfig({ type: "Ollama", endpoint: "http://a:11434" }),
  ),
  refuses(
    "an endpoint without scheme",
    modelProviderConfig({ type: "Ollama", endpoint: "a:11434" }),
    ["spec.endpoint", "spec"],
    /^must begin with http:\/\/ or https:\/\/$/,
  ),
  refuses(
    "an empty endpoint",
    modelProviderConfig({ type: "Ollama", endpoint: "" }),
    "spec.endpoint",
    /^must begin with http/,
  ),
  refuses(
    "a Secret without a name",
    modelProviderConfig({ type: "OpenAI", secretRef: { name: "" } }),
    "spec",
    /^secretRef is required/,
  ),
  refuses(
    "a Secret that is not named",
    modelProviderConfig({ type: "Ollama", secretRef: {} }),
    "spec.secretRef.name",
    /^is required$/,
  ),
  refuses(
    "a config without type",
    modelProviderConfig({ ...SECRET }),
    "spec.type",
    /^is required$/,
  ),
  refuses(
    "another provider",
    modelProviderConfig({ type: "Mistral", ...SECRET }),
    "spec.type",
    /^must be "Anthropic", "OpenAI"/,
  ),
  refuses(
    "an unknown field",
    modelProviderConfig({ type: "Ollama", enpoint: "http://a" }),
    "spec.enpoint",
    /^unknown field "enpoint"; did you mean "endpoint"\?$/,
  ),
];
