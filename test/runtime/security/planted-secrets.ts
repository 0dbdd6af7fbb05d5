import type { Canaries, Canary } from "./canaries.ts";

/** Every secret that a platform meets, by where it comes from; tokens of people and services come with those. */
export interface PlantedSecrets {
  /** `headersFrom` of the tool server, before and after its rotation. */
  readonly toolHeader: Canary;
  readonly toolHeaderRotated: Canary;
  /** One that is no HTTP header: it has a line break inside. */
  readonly toolHeaderBroken: Canary;
  readonly modelKey: Canary;
  readonly defaultHeader: Canary;
  readonly ollamaKey: Canary;
  readonly postedKey: Canary;
  /** Private key beside the authorities' certificates. */
  readonly caKey: Canary;
  readonly databasePassword: Canary;
  /** What a tool, another agent and a provider say by themselves. */
  readonly toolSaid: Canary;
  readonly delegateSaid: Canary;
  readonly delegateFailed: Canary;
  readonly delegateTool: Canary;
  readonly providerSaid: Canary;
  readonly summarizerSaid: Canary;
  readonly editedArgument: Canary;
}

/** Plants them. */
export function plantedSecrets(canaries: Canaries): PlantedSecrets {
  const plant = canaries.plant.bind(canaries);
  return {
    toolHeader: plant("header Secret of a tool server"),
    toolHeaderRotated: plant("rotated header Secret"),
    toolHeaderBroken: plant("header Secret with a line break", (core) => `cnry\n${core}`),
    modelKey: plant("apiKeySecret of OpenAI"),
    defaultHeader: plant("defaultHeaders value"),
    ollamaKey: plant("apiKeySecret of Ollama"),
    postedKey: plant("apiKey posted to the API"),
    caKey: plant("CA private key"),
    databasePassword: plant("database password"),
    toolSaid: plant("credential in a tool's answer"),
    delegateSaid: plant("credential in a delegate's answer"),
    delegateFailed: plant("credential in a delegate's failure"),
    delegateTool: plant("credential in an answer of a delegate's tool"),
    providerSaid: plant("foreign key in a provider's 401", (core) => `sk-proj-${core}`),
    summarizerSaid: plant("foreign key in a summarizer's 401", (core) => `sk-proj-${core}`),
    editedArgument: plant("edited argument"),
  };
}
