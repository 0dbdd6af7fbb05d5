import { sentence } from "../../api/checked.ts";
import type { StoredObject } from "../../api/cluster.ts";
import { ConditionList, type ConditionUpdate, findCondition } from "../../api/conditions.ts";
import { CONDITION_MESSAGES, type ObjectRef, REASONS, refKey } from "../../api/names.ts";
import type { ModelProviderConfig } from "../../api/objects.ts";
import { ModelListError, type ModelSource } from "../model-lister.ts";
import { secretHash } from "../secret-hash.ts";
import { keyOf } from "./keys.ts";
import { type Outcome, type ReconcileDeps, report } from "./reconcile-deps.ts";

/** What discovery needs; any replica may do it on demand. */
export type ProviderDeps = Pick<
  ReconcileDeps,
  "cache" | "clock" | "directory" | "events" | "log" | "models" | "references" | "status"
>;

/**
 * Brings the conditions of a ModelProviderConfig to what is the case, and asks for its models once per generation
 * (kagent-api section 1.4). A missing Secret wakes it when it comes.
 *
 * @throws ModelListError when the provider may answer later.
 */
export async function reconcileProviderConfig(
  ref: ObjectRef,
  deps: ProviderDeps,
  signal: AbortSignal,
): Promise<Outcome> {
  const stored = deps.cache.get("ModelProviderConfig", ref);
  if (stored === undefined) {
    deps.references.delete(keyOf("ModelProviderConfig", ref));
    deps.status.forget("ModelProviderConfig", ref.namespace, ref.name);
    return undefined;
  }
  try {
    const question = await questionOf(stored, ref, deps, signal);
    if (isAnswered(stored, deps)) {
      const update = { conditions: [question.condition, READY], fields: question.fields };
      await report(deps, "ModelProviderConfig", stored, update, signal);
    } else await ask(stored, question, deps, signal);
  } catch (error) {
    if (!(error instanceof ModelListError) || error.retryable) throw error;
  }
  return undefined;
}

/**
 * Asks a provider for its models now and writes down what it says.
 *
 * @returns Names of the models; `undefined` when there is no such ModelProviderConfig.
 * @throws ModelListError with a message for people when there are none to be had.
 */
export async function refreshModels(
  ref: ObjectRef,
  deps: ProviderDeps,
  signal: AbortSignal,
): Promise<readonly string[] | undefined> {
  const stored = deps.cache.get("ModelProviderConfig", ref);
  if (stored === undefined) return undefined;
  return await ask(stored, await questionOf(stored, ref, deps, signal), deps, signal);
}

/** What a provider is asked with. */
interface Question {
  readonly source: ModelSource;
  /** About the Secret. */
  readonly condition: ConditionUpdate;
  readonly fields: { readonly secretHash: string };
}

/** @throws ModelListError, not retryable, after writing down why nobody can be asked. */
async function questionOf(
  stored: StoredObject,
  ref: ObjectRef,
  deps: ProviderDeps,
  signal: AbortSignal,
): Promise<Question> {
  const fail = async (message: string, ...conditions: ConditionUpdate[]): Promise<never> => {
    const update = { conditions: [...conditions, notReady(message)] };
    await report(deps, "ModelProviderConfig", stored, update, signal);
    throw new ModelListError(message, false);
  };
  const object = deps.directory.provider(ref);
  if (object === undefined)
    return await fail(sentence(deps.directory.rejected("ModelProviderConfig", ref) ?? []));
  const secret = await secretOf(object, ref, deps, signal);
  if (!secret.ok) return await fail(secret.condition.message, secret.condition);
  const { condition, apiKey, hash } = secret;
  const { type, endpoint = "" } = object.spec;
  const source = {
    type,
    ...(endpoint === "" ? {} : { endpoint }),
    ...(apiKey === undefined ? {} : { apiKey }),
  };
  return { source, condition, fields: { secretHash: hash } };
}

/** Asks, and writes down the answer or that there was none. */
async function ask(
  stored: StoredObject,
  { source, condition, fields }: Question,
  deps: ProviderDeps,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const kind = "ModelProviderConfig";
  try {
    const models = await deps.models.list(source, signal);
    const found = {
      ...fields,
      discoveredModels: models,
      modelCount: models.length,
      lastDiscoveryTime: new Date(deps.clock.now()).toISOString(),
    };
    const conditions = [condition, discovered(models.length), READY];
    await report(deps, kind, stored, { conditions, fields: found }, signal);
    return models;
  } catch (error) {
    if (!(error instanceof ModelListError)) throw error;
    const { message } = error;
    const conditions = [condition, undiscovered(message), notReady(message)];
    await report(deps, kind, stored, { conditions, fields }, signal);
    throw error;
  }
}

type ProviderSecret =
  | {
      readonly ok: true;
      readonly condition: ConditionUpdate;
      readonly apiKey?: string;
      readonly hash: string;
    }
  | { readonly ok: false; readonly condition: ConditionUpdate };

async function secretOf(
  { spec }: ModelProviderConfig,
  ref: ObjectRef,
  { cache, references }: ProviderDeps,
  signal: AbortSignal,
): Promise<ProviderSecret> {
  const name = spec.secretRef?.name ?? "";
  const resolved = (reason: string, message: string): ConditionUpdate => ({
    type: "SecretResolved",
    status: "True",
    reason,
    message,
  });
  const user = keyOf("ModelProviderConfig", ref);
  if (name === "") {
    references.delete(user);
    const condition = resolved(REASONS.secretNotRequired, "No Secret is needed");
    return { ok: true, condition, hash: secretHash([]) };
  }
  const secret = { namespace: ref.namespace, name };
  const id = keyOf("Secret", secret);
  references.set(user, [id]);
  await cache.values.read([id], signal);
  const data = cache.values.data("Secret", secret);
  const keys = Object.keys(data ?? {});
  const [key = ""] = keys;
  if (data === undefined || keys.length !== 1) {
    const problem =
      data === undefined ? "does not exist" : `has ${keys.length} keys, must have one`;
    const message = `Secret ${refKey(secret)} ${problem}`;
    const reason = REASONS.secretNotFound;
    return { ok: false, condition: { type: "SecretResolved", status: "False", reason, message } };
  }
  const apiKey = cache.values.value("Secret", secret, key)?.trim() ?? "";
  const condition = resolved(REASONS.secretResolved, `Secret ${refKey(secret)} is there`);
  return { ok: true, condition, apiKey, hash: secretHash([{ ref: secret, data }]) };
}

/** Whether the provider told its models for this generation. */
function isAnswered(stored: StoredObject, { status }: ProviderDeps): boolean {
  const conditions = ConditionList.parse(status.read("ModelProviderConfig", stored)["conditions"]);
  const last = findCondition(conditions, "ModelsDiscovered");
  return last?.status === "True" && last.observedGeneration === stored.metadata.generation;
}

const READY: ConditionUpdate = {
  type: "Ready",
  status: "True",
  reason: REASONS.ready,
  message: CONDITION_MESSAGES.modelProviderConfigReady,
};

function notReady(message: string): ConditionUpdate {
  return { type: "Ready", status: "False", reason: REASONS.notReady, message };
}

function discovered(count: number): ConditionUpdate {
  const message = `Discovered ${count} models`;
  const reason = REASONS.modelsDiscovered;
  return { type: "ModelsDiscovered", status: "True", reason, message };
}

function undiscovered(message: string): ConditionUpdate {
  return { type: "ModelsDiscovered", status: "False", reason: REASONS.discoveryFailed, message };
}
