import { describe } from "mocha";
import type { SessionStore } from "../../../../runtime/store/session-store.ts";
import { sessionStoreContract } from "../session-store-contract.ts";
import { remoteHarness } from "./store-harness.ts";

describe("runtime/store/remote/remote-session-store", () => {
  sessionStoreContract("a worker's store over HTTP", async (deps) => {
    const { remote, store, server } = await remoteHarness({ storeDeps: deps });
    const { sessions } = store;
    // What workers do not ask for goes to the store itself.
    const whole: SessionStore = {
      ensureSession: (session) => remote.ensureSession(session),
      getSession: (id, user) => remote.getSession(id, user),
      createTask: (task) => remote.createTask(task),
      getTask: (id, user) => remote.getTask(id, user),
      listTasks: (query) => remote.listTasks(query),
      append: (contextId, events) => remote.append(contextId, events),
      events: (contextId, user, filter) => remote.events(contextId, user, filter),
      heartbeat: (owner) => remote.heartbeat(owner),
      claimTask: (taskId, ownerId) => remote.claimTask(taskId, ownerId),
      ownerOf: (taskId, user) => remote.ownerOf(taskId, user),
      listSessions: (filter) => sessions.listSessions(filter),
      updateSession: (id, user, changes) => sessions.updateSession(id, user, changes),
      deleteSession: (id, user) => sessions.deleteSession(id, user),
      failOpenTasks: (error) => sessions.failOpenTasks(error),
      failLostTasks: (error, silentMs) => sessions.failLostTasks(error, silentMs),
      async close() {
        await remote.close(new AbortController().signal);
        await server.close();
        await sessions.close();
      },
    };
    return whole;
  });
});
