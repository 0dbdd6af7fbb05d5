import { textAt } from "../json-read.ts";
import { callOf } from "../known-tool.ts";
import { tellingLines } from "../pod-finding.ts";
import { readStates } from "../read-objects.ts";
import { code } from "../render-report.ts";
import { report } from "../report.ts";
import { kindsIn, POD, type ResourceKind } from "../resource-kinds.ts";
import { answersOf, type PastCall, type Situation, toolNamed } from "../situation.ts";
import type { Skill } from "../skill.ts";
import { mentions, namespaceIn, objectIn } from "../subject.ts";
import { named, nameWords } from "../words.ts";

/** A way to look at one object. */
interface View {
  /** Name of the skill. */
  readonly name: string;
  readonly tool: string;
  readonly words: RegExp;
  /** What the tool shows. */
  readonly what: string;
  /** Argument that takes the name. */
  readonly nameArgument: "resource_name" | "pod_name";
}

const YAML: View = {
  name: "YAML of an object",
  tool: "k8s_get_resource_yaml",
  words: /\b(ya?ml|manifest|definition)\b/iu,
  what: "YAML",
  nameArgument: "resource_name",
};
const DESCRIBE: View = {
  name: "describe an object",
  tool: "k8s_describe_resource",
  words: /\b(describe|description|details?|detailed|conditions?)\b/iu,
  what: "Description",
  nameArgument: "resource_name",
};
const LOGS: View = {
  name: "logs of a pod",
  tool: "k8s_get_pod_logs",
  words: /\b(logs?|log lines|stdout|output of)\b/iu,
  what: "Log",
  nameArgument: "pod_name",
};

const LOG_TAIL = 100;
/** Objects whose name fits are looked at, the first of them. */
const MAX_OBJECTS = 3;

/** Looks at objects one by one: finds out where they are, then asks for each. */
function lookAt(view: View): Skill {
  return {
    name: view.name,

    score(situation) {
      const { question } = situation;
      if (toolNamed(situation, view.tool) === undefined || !view.words.test(question)) return 0;
      return nameWords(question).length === 0 ? 0 : 7;
    },

    plan(situation) {
      const targets = targetsOf(view, situation);
      const kind = kindOf(view, situation);
      const namespace = namespaceIn(situation.question);
      const direct = directCall(view, situation, kind);
      const missed = answersOf(situation, view.tool).some(({ failed }) => failed);
      if (direct !== undefined && !missed) return [direct];
      const list = callOf(toolNamed(situation, "k8s_get_resources"), {
        resource_type: kind.type,
        namespace,
        all_namespaces: namespace === undefined && kind.namespaced ? true : undefined,
        output: "wide",
      });
      return [list, ...targets.map((target) => viewCall(view, situation, target))];
    },

    report(situation) {
      const shown = answersOf(situation, view.tool).filter(
        ({ failed, text }) => !failed && text !== "",
      );
      const cluster = toolNamed(situation, view.tool)?.cluster ?? "";
      const names = shown.map((call) => placeOf(view, call));
      const telling = view === LOGS ? shown.flatMap(({ text }) => tellingLines(text)) : [];
      return report({
        operation: view.name,
        cluster,
        namespace: namespaceIn(situation.question) ?? "",
        summary:
          shown.length > 0
            ? `${view.what} of ${named(names)}.`
            : `No ${kindOf(view, situation).kind} with a name from the question could be shown.`,
        notes: telling.map((line) => `Telling line: \`${code(line)}\``),
        quotes: shown.map((call) => ({
          title: placeOf(view, call),
          text: call.text,
          keep: view === LOGS ? "end" : "start",
        })),
      });
    },
  };
}

/** A call for an object whose full name and place are in the question; those of pods rarely are. */
function directCall(view: View, situation: Situation, kind: ResourceKind) {
  const known = objectIn(situation.question);
  const namespace = namespaceIn(situation.question);
  const placed = namespace !== undefined || !kind.namespaced;
  if (known === undefined || !placed || kind.type === POD.type) return undefined;
  return viewCall(view, situation, { kind, name: known.name, namespace: namespace ?? "" });
}

interface Target {
  readonly kind: ResourceKind;
  readonly namespace: string;
  readonly name: string;
}

function kindOf(view: View, situation: Situation): ResourceKind {
  if (view === LOGS) return POD;
  return objectIn(situation.question)?.kind ?? kindsIn(situation.question)[0] ?? POD;
}

/** Listed objects that the question names. */
function targetsOf(view: View, situation: Situation): readonly Target[] {
  const kind = kindOf(view, situation);
  const words = new Set(
    nameWords(situation.question).flatMap((word) => [word, ...word.split("/")]),
  );
  return answersOf(situation, "k8s_get_resources")
    .filter(({ args, failed }) => !failed && textAt(args, "resource_type") === kind.type)
    .flatMap((call) => readStates(call, kind)?.states ?? [])
    .filter(({ name }) => mentions(words, name))
    .slice(0, MAX_OBJECTS)
    .map(({ namespace, name }) => ({ kind, namespace, name }));
}

function viewCall(view: View, situation: Situation, { kind, namespace, name }: Target) {
  return callOf(toolNamed(situation, view.tool), {
    resource_type: kind.type,
    [view.nameArgument]: name,
    namespace: namespace === "" ? undefined : namespace,
    tail_lines: LOG_TAIL,
    previous: /\bprevious\b/i.test(situation.question) ? true : undefined,
  });
}

function placeOf(view: View, { args }: PastCall): string {
  const namespace = textAt(args, "namespace");
  const name = textAt(args, view.nameArgument);
  return namespace === "" ? name : `${namespace}/${name}`;
}

/** The YAML of named objects. */
export const objectYaml = lookAt(YAML);
/** The description of named objects. */
export const describeObject = lookAt(DESCRIBE);
/** The logs of named pods. */
export const podLogs = lookAt(LOGS);
