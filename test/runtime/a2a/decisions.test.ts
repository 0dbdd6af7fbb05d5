import assert from "node:assert/strict";
import { afterEach, describe, it } from "mocha";
import { a2aApp } from "../../../runtime/a2a/http.ts";
import type { Caller } from "../../../runtime/a2a/task-service.ts";
import { silentLog } from "../../../runtime/telemetry/log.ts";
import { card, readSse, serveApp, type TestServer } from "../../support/a2a-server.ts";
import { agentConfig, serverUse } from "../../support/agent-config.ts";
import { ScriptedModel } from "../../support/scripted-model.ts";
import { Outside } from "../worker/turn-harness.ts";
import { ana, closeWorkers, TestWorker } from "../worker/worker-fixture.ts";

const git = { namespace: "kagent", name: "git" };

interface Answer {
  readonly result?: { readonly task?: WireTask } & WireTask;
  readonly error?: { readonly code: number; readonly message: string };
}
interface WireTask {
  readonly status: { readonly state: string; readonly message?: { readonly parts: unknown[] } };
}

/** A worker behind its edge, with a task that waits for approval of `deploy`. */
async function waiting(approvers: readonly string[] = []) {
  const worker = await TestWorker.open({
    agents: [
      agentConfig({
        ref: git,
        model: { ref: git, provider: "Ollama", model: "git" },
        toolServers: [serverUse({ requireApproval: ["deploy"] })],
        approval: { mode: "listed", timeoutMs: 3_600_000, approvers },
      }),
    ],
    models: {
      git: new ScriptedModel({ calls: [["deploy", { n: 1 }]] }, { text: "a secret answer" }),
    },
    outside: Object.assign(new Outside(), { tools: ["deploy"] }),
  });
  const caller = (request: Request): Caller => ({
    user: request.headers.get("x-user-id") ?? "ana",
    headers: Object.fromEntries(request.headers),
    groups: request.headers.get("x-groups")?.split(",") ?? [],
  });
  const app = a2aApp({
    agents: () => card("git"),
    tasks: worker.tasks,
    caller,
    baseUrl: "http://agents.example",
    log: silentLog,
  });
  const server = await serveApp(app);
  servers.push(server);
  const { taskId, contextId } = await worker.send(git, "a secret question");
  const post = (body: string, headers: Record<string, string>) =>
    fetch(`${server.url}/api/a2a/kagent/git/`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body,
    });
  /** Sends parts in the wire format of a version; `raw` may spoil the text of the request. */
  const send = async (
    version: "0.3" | "1.0",
    parts: readonly object[],
    options: {
      headers?: Record<string, string>;
      stream?: true;
      raw?: (text: string) => string;
    } = {},
  ) => {
    const methods =
      version === "1.0"
        ? ["SendMessage", "SendStreamingMessage"]
        : ["message/send", "message/stream"];
    const role = version === "1.0" ? "ROLE_USER" : "user";
    const message = { messageId: "m", taskId, contextId, role, parts };
    const text = JSON.stringify({
      jsonrpc: "2.0",
      id: 1,
      method: methods[options.stream === true ? 1 : 0],
      params: { message: version === "1.0" ? message : { kind: "message", ...message } },
    });
    const headers = { ...(version === "1.0" ? { "A2A-Version": "1.0" } : {}), ...options.headers };
    return await post(options.raw?.(text) ?? text, headers);
  };
  return { worker, taskId, send };
}
const servers: TestServer[] = [];

const part = (version: "0.3" | "1.0", data: unknown): object =>
  version === "1.0" ? { data } : { kind: "data", data, metadata: {} };
const label = (version: "0.3" | "1.0", text: string): object =>
  version === "1.0" ? { text } : { kind: "text", text };
const stateOf = ({ result }: Answer): string | undefined =>
  (result?.task ?? result)?.status.state.toLowerCase().replace("task_state_", "").replace("_", "-");

describe("runtime/a2a decisions", () => {
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
    await closeWorkers();
  });

  for (const version of ["0.3", "1.0"] as const)
    describe(`in the wire format of ${version}`, () => {
      it("approve, with a label beside them", async () => {
        const { worker, send } = await waiting();
        const parts = [label(version, "Approved"), part(version, { decision_type: "approve" })];
        const answer = (await (await send(version, parts)).json()) as Answer;
        assert.equal(stateOf(answer), "completed");
        assert.deepEqual(worker.ran(), [["deploy", { n: 1 }]]);
      });

      it("reject, by batch, with a reason", async () => {
        const { worker, send } = await waiting();
        const decisions = { "call-1": "reject" };
        const data = { decision_type: "batch", decisions, rejection_reasons: { "call-1": "no" } };
        assert.equal(
          stateOf((await (await send(version, [part(version, data)])).json()) as Answer),
          "completed",
        );
        assert.deepEqual(worker.ran(), []);
      });

      it("edit arguments", async () => {
        const { worker, send } = await waiting();
        const data = { decision_type: "approve", edited_args: { "call-1": { n: 2 } } };
        await send(version, [part(version, data)]);
        assert.deepEqual(worker.ran(), [["deploy", { n: 2 }]]);
      });

      it("say why they are void, and leave the request pending with its calls", async () => {
        const { worker, send } = await waiting();
        const answer = (await (
          await send(version, [part(version, { decision_type: "yes" })])
        ).json()) as Answer;
        assert.equal(stateOf(answer), "input-required");
        const text = JSON.stringify(answer);
        assert.match(text, /Nothing was executed: unknown decision_type/);
        assert.match(text, /adk_request_confirmation/);
        assert.deepEqual(worker.ran(), []);
      });

      for (const [what, spoil] of [
        [
          "a key twice",
          (text: string) =>
            text.replace('"call-1":"approve"', '"call-1":"reject","call-1":"approve"'),
        ],
        [
          "a key twice, escaped",
          (text: string) =>
            text.replace('"call-1":"approve"', '"call-1":"reject","c\\u0061ll-1":"approve"'),
        ],
        [
          "a prototype key",
          (text: string) =>
            text.replace('"call-1":"approve"', '"__proto__":"x","call-1":"approve"'),
        ],
      ] as const)
        it(`are refused with ${what}`, async () => {
          const { worker, taskId, send } = await waiting();
          const data = { decision_type: "batch", decisions: { "call-1": "approve" } };
          const response = await send(version, [part(version, data)], { raw: spoil });
          assert.equal(((await response.json()) as Answer).error?.code, -32600);
          assert.deepEqual(worker.ran(), []);
          assert.equal((await worker.tasks.get(git, taskId, ana)).state, "input-required");
        });

      it("of an approver who does not own the task tell the state and nothing else", async () => {
        for (const stream of [undefined, true] as const) {
          const { worker, taskId, send } = await waiting(["group:sre"]);
          const headers = { "x-user-id": "ben", "x-groups": "dev,sre" };
          const response = await send(version, [part(version, { decision_type: "approve" })], {
            headers,
            ...(stream === undefined ? {} : { stream }),
          });
          let text = "";
          if (stream === undefined) text = await response.text();
          else for await (const { data } of readSse(response)) text += JSON.stringify(data);
          assert.match(text, /completed|TASK_STATE_COMPLETED/);
          assert.doesNotMatch(text, /secret|deploy"/);
          assert.deepEqual(worker.ran(), [["deploy", { n: 1 }]]);
          const view = await worker.tasks.get(git, taskId, ana);
          assert.match(JSON.stringify(view.events), /"approver":"ben"/);
        }
      });

      it("of people who may not decide are refused", async () => {
        const { worker, send } = await waiting(["carl"]);
        const parts = [part(version, { decision_type: "approve" })];
        const own = (await (await send(version, parts)).json()) as Answer;
        assert.equal(own.error?.code, -32004);
        assert.match(own.error.message, /waits for carl; you cannot decide/);
        const headers = { "x-user-id": "ben" };
        for (const stream of [undefined, true] as const) {
          const options = { headers, ...(stream === undefined ? {} : { stream }) };
          assert.match(await (await send(version, parts, options)).text(), /-32001/);
        }
        assert.deepEqual(worker.ran(), []);
      });
    });
});
