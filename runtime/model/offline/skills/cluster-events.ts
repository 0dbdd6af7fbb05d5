import { callOf } from "../known-tool.ts";
import { readEvents } from "../read-events.ts";
import { type Finding, report } from "../report.ts";
import { kindNamed } from "../resource-kinds.ts";
import { answersOf, toolNamed } from "../situation.ts";
import type { Skill } from "../skill.ts";
import { mentioned, namespaceIn } from "../subject.ts";
import { counted, hits, oneLine } from "../words.ts";

const EVENTS = /\b(events?|warnings?)\b/iu;
/** The 10 most frequent warnings are findings; the table has them all. */
const MAX_FINDINGS = 10;

/** What happened lately: the warnings among a cluster's events. */
export const clusterEvents: Skill = {
  name: "events",

  score: (situation) =>
    toolNamed(situation, "k8s_get_events") === undefined
      ? 0
      : 4 * hits(situation.question, EVENTS).length,

  plan: (situation) => [
    callOf(toolNamed(situation, "k8s_get_events"), { namespace: namespaceIn(situation.question) }),
  ],

  report(situation) {
    const calls = answersOf(situation, "k8s_get_events").filter(({ failed }) => !failed);
    const events = calls.flatMap(readEvents).map((event) => ({
      ...event,
      name: event.object.split("/")[1] ?? "",
    }));
    const own = mentioned(situation.question, events);
    const warnings = own.filter(({ type }) => type === "Warning").sort((a, b) => b.count - a.count);
    const unread = calls.filter(({ text }) => text !== "" && events.length === 0);
    return report({
      operation: "events",
      cluster: toolNamed(situation, "k8s_get_events")?.cluster ?? "",
      namespace: namespaceIn(situation.question) ?? "",
      summary: `${counted(own.length, "event")}, ${counted(warnings.length, "warning")} among them.`,
      findings: warnings.slice(0, MAX_FINDINGS).map(
        ({ object, namespace, name, reason, message, count }): Finding => ({
          resource_kind: kindNamed(object.split("/")[0] ?? ""),
          resource_name: name,
          namespace,
          severity: "warning",
          message: `${reason}${count > 1 ? ` (${count} times)` : ""}: ${oneLine(message, 300)}`,
          evidence: oneLine(message, 300),
          details: [],
        }),
      ),
      tables: [
        {
          title: "Event",
          columns: ["Namespace", "Type", "Reason", "Object", "Count", "Message"],
          rows: own.map(({ namespace, type, reason, object, count, message }) => [
            namespace,
            type,
            reason,
            object,
            count,
            oneLine(message, 160),
          ]),
        },
      ],
      quotes: unread.map(({ text }) => ({ title: "Events", text })),
    });
  },
};
