import assert from "node:assert/strict";
import { Role, type SendMessageRequest, TaskState } from "@a2a-js/sdk";
import {
  type Client,
  ClientFactory,
  ClientFactoryOptions,
  DefaultAgentCardResolver,
  JsonRpcTransportFactory,
} from "@a2a-js/sdk/client";
import { LegacyJsonRpcTransport } from "@a2a-js/sdk/compat/v0_3/client";
import { after, before, describe, it } from "mocha";
import { a2aApp } from "../../../runtime/a2a/http.ts";
import { silentLog } from "../../../runtime/telemetry/log.ts";
import { card, serveApp, type TestServer } from "../../support/a2a-server.ts";
import { readAll } from "../../support/read-all.ts";
import { ScriptedTasks } from "../../support/scripted-tasks.ts";
import { STANDARD_AGENTS } from "../../support/standard-agents.ts";

const request = (text: string): SendMessageRequest => ({
  tenant: "",
  message: {
    messageId: crypto.randomUUID(),
    contextId: "",
    taskId: "",
    role: Role.ROLE_USER,
    parts: [
      { content: { $case: "text", value: text }, metadata: undefined, filename: "", mediaType: "" },
    ],
    metadata: undefined,
    extensions: [],
    referenceTaskIds: [],
  },
  configuration: undefined,
  metadata: undefined,
});

describe("runtime/a2a/http with the official client", () => {
  let server: TestServer;
  let base = "";
  before(async () => {
    server = await serveApp({ fetch: (...args) => app.fetch(...args) });
    base = server.url;
    const app = a2aApp({
      agents: ({ name }) => card(name),
      tasks: new ScriptedTasks(STANDARD_AGENTS),
      caller: () => ({ user: "ann", headers: {} }),
      baseUrl: base,
      log: silentLog,
    });
  });
  after(() => server.close());

  const connect = (name: string): Promise<Client> =>
    new ClientFactory(
      ClientFactoryOptions.createFrom(ClientFactoryOptions.default, {
        cardResolver: new DefaultAgentCardResolver(),
        transports: [new JsonRpcTransportFactory()],
      }),
    ).createFromUrl(`${base}/api/a2a/kagent/${name}/`);

  it("is found by its card and speaks 1.0", async () => {
    const client = await connect("answers");
    assert.equal(client.protocolVersion, "1.0");
    const found = await client.getAgentCard();
    assert.equal(found.name, "answers");
    assert.equal(found.skills[0]?.id, "s1");
  });

  it("sends, gets, lists and reads the answer", async () => {
    const client = await connect("answers");
    const task = await client.sendMessage(request("hi"));
    assert.ok("status" in task);
    assert.equal(task.status?.state, TaskState.TASK_STATE_COMPLETED);
    assert.deepEqual(task.artifacts[0]?.parts[0]?.content, { $case: "text", value: "forty-two" });
    const again = await client.getTask({ tenant: "", id: task.id });
    assert.deepEqual(again, task);
    const page = await client.listTasks({
      tenant: "",
      contextId: task.contextId,
      status: TaskState.TASK_STATE_COMPLETED,
      pageToken: "",
      statusTimestampAfter: undefined,
    });
    assert.equal(page.totalSize, 1);
  });

  it("streams", async () => {
    const client = await connect("works");
    const items = await readAll(client.sendMessageStream(request("hi")));
    assert.equal(items[0]?.payload?.$case, "task");
    const last = items.at(-1)?.payload;
    assert.ok(last?.$case === "statusUpdate");
    assert.equal(last.value.status?.state, TaskState.TASK_STATE_COMPLETED);
  });

  it("joins and cancels", async () => {
    const client = await connect("hangs");
    const stream = client.sendMessageStream(request("hi"));
    const first = await stream.next();
    const payload = first.value?.payload;
    assert.ok(payload?.$case === "task");
    const { id } = payload.value;
    const joined = client.resubscribeTask({ tenant: "", id });
    await joined.next();
    const task = await client.cancelTask({ tenant: "", id, metadata: undefined });
    assert.equal(task.status?.state, TaskState.TASK_STATE_CANCELED);
    for (const updates of [stream, joined]) {
      const last = (await readAll(updates)).at(-1)?.payload;
      assert.ok(last?.$case === "statusUpdate");
      assert.equal(last.value.status?.state, TaskState.TASK_STATE_CANCELED);
    }
  });

  it("speaks 0.3 with the client's own 0.3 transport", async () => {
    const transport = new LegacyJsonRpcTransport({ endpoint: `${base}/api/a2a/kagent/works/` });
    const task = await transport.sendMessage(request("hi"));
    assert.ok("status" in task);
    assert.equal(task.status?.state, TaskState.TASK_STATE_COMPLETED);
    const items = await readAll(transport.sendMessageStream(request("hi")));
    const states = items.flatMap(({ payload }) =>
      payload?.$case === "statusUpdate" ? [payload.value.status?.state] : [],
    );
    assert.equal(states[0], TaskState.TASK_STATE_SUBMITTED);
    assert.equal(states.at(-1), TaskState.TASK_STATE_COMPLETED);
  });
});
